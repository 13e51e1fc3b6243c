import EditorWorker from "monaco-editor/esm/vs/editor/editor.worker.js?worker";
import JSONWorker from "monaco-editor/esm/vs/language/json/json.worker.js?worker";
import GraphQLWorker from "monaco-graphql/esm/graphql.worker.js?worker";

// Monaco checks and completes in workers, which come from here like the rest.
self.MonacoEnvironment = {
  getWorker(_, label) {
    switch (label) {
      case "json":
        return new JSONWorker();
      case "graphql":
        return new GraphQLWorker();
      default:
        return new EditorWorker();
    }
  },
};
