import { useGraphiQL } from "@graphiql/react";
import { useEffect } from "react";

const options = {
  fontFamily: 'ui-monospace, "SF Mono", "Cascadia Code", "JetBrains Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace',
  fontSize: 13,
  lineHeight: 20,
  wordWrap: "on",
  ...(matchMedia("(max-width: 760px)").matches && ({ lineNumbers: "off" } as const)),
} as const;

/** Sets the editors in a font that is there, and breaks lines that are too long. */
export function useEditorOptions() {
  const editors = useGraphiQL((state) => [state.queryEditor, state.variableEditor, state.headerEditor, state.responseEditor]);
  useEffect(() => {
    for (const editor of editors) editor?.updateOptions(options);
  }, [editors]);
}
