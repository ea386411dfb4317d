/** Kept filters beside those that are set. Pure. */
import type { SavedFilter } from "@/api/saved-filters";

type Values = Readonly<Record<string, unknown>>;

const sorted = (value: unknown): unknown => (Array.isArray(value) ? [...(value as unknown[])].sort() : value);

const text = (values: Values): string =>
  JSON.stringify(Object.entries(values).filter(([, value]) => value !== undefined).sort(([a], [b]) => a.localeCompare(b)).map(([name, value]) => [name, sorted(value)]));

/** Whether both filter alike, whatever the order of what they name. */
export const alike = (one: Values, other: Values): boolean => text(one) === text(other);

export type Opening =
  /** Nothing to do: the address says what to show. */
  | { kind: "as-it-is" }
  | { kind: "show"; filter: SavedFilter }
  /** The link names filters that are gone, or that nobody shares with this person. */
  | { kind: "missing" };

/** What a list does when it is entered with this in its address. */
export const opening = (view: string | undefined, filtering: Values, kept: readonly SavedFilter[]): Opening => {
  const found = kept.find(({ id }) => id === view);
  const bare = Object.keys(filtering).length === 0;
  if (view === undefined) {
    const first = kept.find((filter) => filter.default);
    return bare && first ? { kind: "show", filter: first } : { kind: "as-it-is" };
  }
  if (view === "all") return { kind: "as-it-is" };
  if (!found) return { kind: "missing" };
  return bare && Object.keys(found.query).length > 0 ? { kind: "show", filter: found } : { kind: "as-it-is" };
};

/** The link that opens a list with kept filters, on this server. */
export const linkOf = (href: string, id: string, beside: Readonly<Record<string, string>> = {}): string => {
  const url = new URL(href);
  url.search = new URLSearchParams({ ...beside, view: id }).toString();
  url.hash = "";
  return url.href;
};
