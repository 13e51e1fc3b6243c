// Files of the shop, for who may have them.
import { ready, Trouble } from "./client.ts";

/** Fetches a file of our own origin as its owner, or as who knows its order's token. */
export async function fetchFile(path: string, token?: string): Promise<{ name: string; content: Blob }> {
  await ready();
  let response: Response;
  try {
    response = await fetch(path, { headers: token ? { Authorization: `Bearer ${token}` } : {}, signal: AbortSignal.timeout(30_000) });
    if (response.ok) return { name: nameIn(response) ?? path.slice(path.lastIndexOf("/") + 1), content: await response.blob() };
  } catch (error) {
    throw new Trouble("OFFLINE", error instanceof Error ? error.message : "");
  }
  throw new Trouble(codes[response.status] ?? "INTERNAL_SERVER_ERROR", "");
}

const codes: Record<number, string> = { 401: "UNAUTHENTICATED", 403: "FORBIDDEN", 404: "NOT_FOUND", 429: "THROTTLED", 503: "UNAVAILABLE", 504: "UNAVAILABLE" };

const nameIn = (response: Response) => /filename="([^"]+)"/.exec(response.headers.get("Content-Disposition") ?? "")?.[1];

/** Hands a file to the browser's downloads. */
export function save({ name, content }: { name: string; content: Blob }) {
  const url = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000); // some browsers read it only after asking where to
}
