// Keeping up to date what others change as well.
import { useEffect } from "react";
import type { Operation } from "../api/client.ts";
import { useQuery, type Answer } from "../api/query.ts";

/**
 * The answer to a query, asked again so many milliseconds after each answer,
 * while the page is looked at; less often while there is none.
 */
export function useFresh<D, V>(operation: Operation<D, V>, variables: V | null, every: number): Answer<D> {
  const answer = useQuery(operation, variables);
  const { data, error, asking, retry } = answer;
  useEffect(() => {
    if (variables === null || asking) return;
    const again = () => document.visibilityState === "visible" && retry();
    const wait = setTimeout(again, (error ? 3 : 1) * every * (0.9 + Math.random() / 5));
    document.addEventListener("visibilitychange", again);
    addEventListener("online", again);
    return () => {
      clearTimeout(wait);
      document.removeEventListener("visibilitychange", again);
      removeEventListener("online", again);
    };
  }, [data, error, asking, retry, every, variables === null]);
  return answer;
}
