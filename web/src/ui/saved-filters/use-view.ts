import { useQuery } from "@tanstack/react-query";
import { useEffect, useEffectEvent, useState } from "react";

import { type FilterPage, type SavedFilter, savedFiltersQuery } from "@/api/saved-filters";
import { type Filters, NO_VIEW } from "@/ui/filters";

import { alike, opening } from "./model";

export interface View {
  kept: readonly SavedFilter[];
  /** The kept filters that are shown, changed or not. */
  current: SavedFilter | null;
  changed: boolean;
  /** The address names kept filters that are not there. */
  missing: boolean;
}

/** Opens a list with the filters that its address or the person's default names, once, when it is entered. */
export const useView = (page: FilterPage, filters: Filters<object>): View => {
  const { data } = useQuery(savedFiltersQuery(page));
  const [entered, setEntered] = useState(false);
  const kept = data ?? [];
  const current = kept.find(({ id }) => id === filters.view) ?? null;
  const bare = !filters.active && filters.view === undefined;
  const enter = useEffectEvent((known: readonly SavedFilter[]) => {
    const next = opening(filters.view, filters.filtering, known);
    if (next.kind === "show") filters.replace(next.filter.query, next.filter.id);
    setEntered(true);
  });
  const leaveAsItIs = useEffectEvent((known: readonly SavedFilter[]) => {
    if (known.some((filter) => filter.default)) filters.replace({}, NO_VIEW);
  });
  useEffect(() => {
    if (data && !entered) enter(data);
  }, [data, entered]);
  // Cleared by hand: said in the address, or Back would come to the default again.
  useEffect(() => {
    if (data && entered && bare) leaveAsItIs(data);
  }, [data, entered, bare]);
  return {
    kept,
    current,
    changed: current !== null && !alike(current.query, filters.filtering),
    missing: data !== undefined && filters.view !== undefined && filters.view !== NO_VIEW && current === null,
  };
};
