// Secrets that links carry do not stay in the address, which goes into
// histories, bookmarks and screenshots.

/** What the address says under a name, taken out of it. */
export function taken(name: string): string | undefined {
  return take(name, {});
}

/** The same, kept with this entry of the history, so that the page can be reloaded. */
export function takenAside(name: string): string | undefined {
  const state = (history.state ?? {}) as Record<string, unknown>;
  const value = new URLSearchParams(location.search).get(name);
  return value === null ? (state[name] as string | undefined) : take(name, { [name]: value });
}

function take(name: string, aside: Record<string, string>): string | undefined {
  const params = new URLSearchParams(location.search);
  const value = params.get(name);
  if (value === null) return undefined;
  params.delete(name);
  history.replaceState({ ...(history.state as object | null), ...aside }, "", location.pathname + (params.size > 0 ? `?${params}` : "") + location.hash);
  return value;
}
