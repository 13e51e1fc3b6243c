import { useGraphiQL, useGraphiQLActions } from "@graphiql/react";
import { useEffect, useState } from "react";
import icon from "./icon.svg";
import { forget } from "./memory";
import { story } from "./story";
import { fetcher, chooseTransport, transports, useTransport, type Transport } from "./transport";

/** The shop's name, the choice of the subscriptions' transport, and the way back to the beginning. */
export function Header() {
  const name = useShopName();
  return (
    <header className="graphiql-container playground-header">
      <h1>
        <img src={icon} alt="" width="24" height="24" />
        {name} <small>GraphQL playground</small>
      </h1>
      <TransportSwitch />
      <RestartButton />
    </header>
  );
}

function useShopName() {
  const [name, setName] = useState("");
  useEffect(() => {
    void Promise.resolve(fetcher({ query: "{ shop { name } }" })).then(
      (answer) => setName((answer as { data?: { shop: { name: string } } }).data?.shop.name ?? ""),
      () => {}, // the schema's request fails too, and GraphiQL says so
    );
  }, []);
  useEffect(() => {
    if (name) document.title = `${name} · GraphQL playground`;
  }, [name]);
  return name;
}

function TransportSwitch() {
  const { transport, connection } = useTransport();
  return (
    <fieldset className="playground-transport">
      <legend>Subscriptions over</legend>
      {(Object.keys(transports) as Transport[]).map((key) => (
        <label key={key}>
          <input type="radio" name="transport" checked={transport === key} onChange={() => chooseTransport(key)} />
          <span>{transports[key]}</span>
        </label>
      ))}
      <output data-connection={connection}>{connection}</output>
    </fieldset>
  );
}

function RestartButton() {
  const { stop, moveTab, changeTab, closeTab } = useGraphiQLActions();
  const [tabs, active] = useGraphiQL((state) => [state.tabs, state.activeTabIndex] as const);

  const restart = () => {
    stop();
    forget();
    // The tab that is open must stay until another one is.
    const open = tabs[active]!;
    const own = tabs.filter((tab) => tab !== open && !isStory(tab));
    const fresh = story.map(asTab);
    moveTab([...fresh, ...own, open]);
    changeTab(0);
    if (isStory(open)) closeTab(fresh.length + own.length);
  };
  return (
    <button type="button" className="playground-restart" onClick={restart} title="Puts the story's tabs back as they were; your own tabs stay">
      Restart the story
    </button>
  );
}

type Tab = Parameters<ReturnType<typeof useGraphiQLActions>["moveTab"]>[0][number];

const isStory = (tab: Tab) => story.some(({ name }) => name === tab.operationName);

const asTab = ({ name, query, variables }: (typeof story)[number]): Tab => ({
  id: crypto.getRandomValues(new Uint32Array(4)).join("-"),
  hash: [query, variables, ""].join("|"),
  title: name,
  operationName: name,
  query,
  variables,
  headers: null,
  response: null,
});
