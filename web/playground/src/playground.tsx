import { explorerPlugin } from "@graphiql/plugin-explorer";
import { HISTORY_PLUGIN } from "@graphiql/plugin-history";
import { GraphiQL } from "graphiql";
import { useEditorOptions } from "./editors";
import { Header } from "./header";
import { story } from "./story";
import { fetcher } from "./transport";

const plugins = [HISTORY_PLUGIN, explorerPlugin()];

// On the first visit GraphiQL takes the tabs from the story, but what stands
// in the editors from these.
const isFirstVisit = localStorage.getItem("graphiql:tabState") === null;
const beginning = isFirstVisit ? { initialQuery: story[0].query, initialVariables: story[0].variables } : {};

/** GraphiQL with the story of a purchase in its tabs. Tabs and edits outlast a reload. */
export function Playground() {
  return (
    <GraphiQL fetcher={fetcher} plugins={plugins} defaultTabs={[...story]} {...beginning} inputValueDeprecation schemaDescription>
      <Frame />
    </GraphiQL>
  );
}

function Frame() {
  useEditorOptions();
  return <Header />;
}
