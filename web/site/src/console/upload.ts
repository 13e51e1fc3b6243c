// Operations with a file, as multipart/form-data:
// https://github.com/jaydenseric/graphql-multipart-request-spec
import { ready, Trouble, type Operation } from "../api/client.ts";

const most = 5 * 60_000; // for all of it: a line may be slow, and the file large

/** Runs an operation whose variable `file` is a file. It tells how much of it was sent, 0 to 1. */
export async function upload<D, V extends { file: File }>(operation: Operation<D, V>, { file }: V, sent: (share: number) => void): Promise<D> {
  await ready();
  const form = new FormData();
  form.append("operations", JSON.stringify({ query: operation.toString(), variables: { file: null } }));
  form.append("map", JSON.stringify({ 0: ["variables.file"] }));
  form.append("0", file);
  // fetch does not tell how much was sent.
  const request = new XMLHttpRequest();
  const status = await new Promise<number>((resolve, reject) => {
    const lost = () => reject(new Trouble("OFFLINE", ""));
    request.upload.onprogress = ({ loaded, total }) => sent(total > 0 ? loaded / total : 0);
    request.onload = () => resolve(request.status);
    request.onerror = request.onabort = lost;
    request.ontimeout = () => reject(new Trouble("TIMEOUT", "This took too long."));
    request.open("POST", "/graphql");
    request.timeout = most;
    request.setRequestHeader("Accept", "application/graphql-response+json");
    request.setRequestHeader("Apollo-Require-Preflight", "1"); // what a form of another origin cannot send
    request.send(form);
  });
  let answer: { data?: D; errors?: { message: string; extensions?: { code?: string; reference?: string } }[] };
  try {
    answer = JSON.parse(request.responseText);
  } catch {
    throw status === 413 ? new Trouble("TOO_LARGE", "The file is too large.") : new Trouble("INTERNAL_SERVER_ERROR", "");
  }
  const first = answer.errors?.[0];
  if (first) throw new Trouble(first.extensions?.code ?? "INTERNAL_SERVER_ERROR", first.message, first.extensions?.reference);
  if (answer.data == null) throw new Trouble("INTERNAL_SERVER_ERROR", "");
  return answer.data;
}
