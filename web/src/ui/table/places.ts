/** Where people were in a list, by entry of the browser's history: Back comes back to the same row. */

export interface Place {
  offset: number;
  /** The row that j and k had gone to. */
  row: string | null;
}

const places = new Map<string, Place>();
const KEPT = 200;

/** The entry of the history that is shown now, as the router numbers them; null without a router. */
const entry = (): string | null => {
  const state: unknown = window.history.state;
  const key = typeof state === "object" && state !== null && "__TSR_key" in state ? state.__TSR_key : null;
  return typeof key === "string" ? key : null;
};

/** The key of a list as it stands in the entry that is shown now. */
export const placeKey = (list: string): string | null => {
  const shown = entry();
  return shown === null ? null : `${shown} ${list}`;
};

export const placeOf = (key: string | null): Place | undefined => (key === null ? undefined : places.get(key));

export const keepPlace = (key: string | null, place: Partial<Place>): void => {
  if (key === null) return;
  const known = places.get(key) ?? { offset: 0, row: null };
  places.delete(key);
  places.set(key, { ...known, ...place });
  const [oldest] = places.keys();
  if (places.size > KEPT && oldest !== undefined) places.delete(oldest);
};
