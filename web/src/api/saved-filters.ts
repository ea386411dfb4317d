/** Filters that people keep under a name. */
import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";

import { api, body, type Schemas } from "./client";

export type SavedFilter = Schemas["SavedFilterView"];
export type FilterPage = SavedFilter["page"];

const savedKey = ["saved-filters"] as const;

export const savedFiltersQuery = (page: FilterPage) =>
  queryOptions({
    queryKey: [...savedKey, page],
    queryFn: async ({ signal }) => (await body(api.GET("/api/v1/saved-filters", { params: { query: { page } }, signal }))).items,
    staleTime: 60_000,
  });

/** Changes something of kept filters, and reads them anew. */
const useChange = <Wish, Result>(mutationFn: (wish: Wish) => Promise<Result>) => {
  const queries = useQueryClient();
  return useMutation({ mutationFn, onSettled: () => queries.invalidateQueries({ queryKey: savedKey }) });
};

export const useKeepFilter = () =>
  useChange((kept: Schemas["SavedFilterCreate"]) => body(api.POST("/api/v1/saved-filters", { body: kept })));

export const useChangeFilter = () =>
  useChange(({ id, ...change }: Schemas["SavedFilterChange"] & { id: string }) =>
    body(api.PUT("/api/v1/saved-filters/{filter_id}", { params: { path: { filter_id: id } }, body: change })));

export const useForgetFilter = () =>
  useChange((id: string) => api.DELETE("/api/v1/saved-filters/{filter_id}", { params: { path: { filter_id: id } } }));

/** The page opens with it from now on, or without it. */
export const useOpenWith = () =>
  useChange(async ({ id, opens }: { id: string; opens: boolean }): Promise<void> => {
    const params = { path: { filter_id: id } };
    if (opens) await api.PUT("/api/v1/saved-filters/{filter_id}/default", { params });
    else await api.DELETE("/api/v1/saved-filters/{filter_id}/default", { params });
  });
