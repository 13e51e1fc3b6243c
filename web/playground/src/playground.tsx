import { explorerPlugin } from "@graphiql/plugin-explorer";
import { HISTORY_PLUGIN } from "@graphiql/plugin-history";
import { GraphiQL } from "graphiql";
import { useEditorOptions } from "./editors";
import { Header } from "./header";
import { story } from "./story";
import { fetcher } from "./transport";

const plugins = [HISTORY_PLUGIN, explorerPlugin()];

// Left alone, GraphiQL keeps the text of its editors beside that of its tabs,
// and makes another tab of it where a quick reload found the two apart. So it
// begins with the open tab's text, on the first visit with the story's.
function beginning() {
  const tab = storedTab() ?? story[0];
  return { initialQuery: tab.query ?? "", initialVariables: tab.variables ?? "" };
}

function storedTab() {
  try {
    const stored: Stored = JSON.parse(localStorage.getItem("graphiql:tabState") ?? "{}");
    return stored.tabs?.[stored.activeTabIndex ?? 0];
  } catch {
    return undefined; // GraphiQL begins anew as well
  }
}

interface Stored {
  tabs?: { query: string | null; variables: string | null }[];
  activeTabIndex?: number;
}

/** GraphiQL with the story of a purchase in its tabs. Tabs and edits outlast a reload. */
export function Playground() {
  return (
    <GraphiQL fetcher={fetcher} plugins={plugins} defaultTabs={[...story]} {...beginning()} inputValueDeprecation schemaDescription>
      <Frame />
    </GraphiQL>
  );
}

function Frame() {
  useEditorOptions();
  return <Header />;
}
