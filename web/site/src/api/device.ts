// What is kept on this device, or for this visit only. A browser that keeps
// nothing, as some do in private windows, forgets it with the page.
function keeper(storage: () => Storage) {
  const here = new Map<string, string>();
  return {
    get(name: string): string | null {
      try {
        return here.get(name) ?? storage().getItem(name);
      } catch {
        return here.get(name) ?? null;
      }
    },
    set(name: string, value: string) {
      try {
        storage().setItem(name, value);
        here.delete(name);
      } catch {
        here.set(name, value);
      }
    },
    remove(name: string) {
      here.delete(name);
      try {
        storage().removeItem(name);
      } catch {
        // Nothing is kept there.
      }
    },
  };
}

export const device = keeper(() => localStorage);
export const visit = keeper(() => sessionStorage);
