// Addresses of pages have ids without what all ids of one type begin with.
const prefix = (type: string) => `gid://ordergraph/${type}/`;

/** The id as a part of an address. */
export const inPath = (type: string, id: string) => encodeURIComponent(id.replace(prefix(type), ""));

/** The id out of an address. */
export const outOfPath = (type: string, part: string) => prefix(type) + plain(part);

/** What was encoded in an address. What was mistyped or cut off stays as it is, and shows nothing of anybody. */
export function plain(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
