/** The browser's storage, which may be switched off or full: then values last as long as the page. */
const fallback = new Map<string, string>();

export const readItem = (key: string): string | null => {
  try {
    return localStorage.getItem(key);
  } catch {
    return fallback.get(key) ?? null;
  }
};

export const writeItem = (key: string, value: string | null): void => {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    if (value === null) fallback.delete(key);
    else fallback.set(key, value);
  }
};
