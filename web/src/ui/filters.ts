/** The filters of a list, which live in the address: a link shows the same, and Back comes back to them. */
import { useNavigate, useSearch } from "@tanstack/react-router";
import * as z from "zod/mini";

/** In the address: the kept filters that a list was opened with, or `all` for "without any, on purpose". */
export const NO_VIEW = "all";
const view = z.catch(z.optional(z.union([z.uuid(), z.literal(NO_VIEW)])), undefined);

/** A list's filters with the place for kept ones beside them: what its route validates. */
export const withView = <Shape extends z.core.$ZodShape>(schema: z.ZodMiniObject<Shape>) => z.extend(schema, { view });

export interface Filters<Values> {
  values: Values;
  /** Whether any filter is set. */
  active: boolean;
  /** The kept filters these come from; whether they still are what was kept is to be seen from `values`. */
  view: string | undefined;
  set: (change: Partial<Values>) => void;
  clear: () => void;
  /** Set exactly these; what the schema does not understand is left out. */
  replace: (values: object, view?: string) => void;
  /** The values that are filters, without what is unset: what is worth keeping. */
  filtering: Readonly<Record<string, unknown>>;
}

const isSet = (value: unknown): boolean =>
  value !== undefined && value !== "" && !(Array.isArray(value) && value.length === 0);

const setOnly = (values: object, apart: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(Object.entries(values).filter(([name, value]) => isSet(value) && !apart.includes(name)));

const viewOf = (search: object): string | undefined => ("view" in search && typeof search.view === "string" ? search.view : undefined);

/**
 * `schema` is the one the route validates its search with. Unset filters leave the address. What is named in `apart`
 * stands in the address as well but is no filter, such as the tab that is shown: it stays when filters are cleared.
 */
export const useFilters = <Schema extends z.ZodMiniType<object>>(schema: Schema, apart: readonly string[] = []): Filters<z.output<Schema>> => {
  const navigate = useNavigate();
  const search: object = useSearch({ strict: false });
  const values = schema.parse(search);
  const current = viewOf(search);
  const beside = Object.fromEntries(Object.entries(values).filter(([name]) => apart.includes(name)));
  const show = (next: object, nextView: string | undefined): void => {
    const all = { ...setOnly(next, []), ...(nextView === undefined ? {} : { view: nextView }) };
    void navigate({ to: ".", search: all as never, replace: true });
  };
  const filtering = setOnly(values, apart);
  return {
    values,
    filtering,
    active: Object.keys(filtering).length > 0,
    view: current,
    set: (change) => show({ ...values, ...change }, current === NO_VIEW ? undefined : current),
    clear: () => show(beside, undefined),
    replace: (next, nextView) => show({ ...setOnly(schema.parse(next), apart), ...beside }, nextView),
  };
};
