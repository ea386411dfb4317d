import { queryOptions } from "@tanstack/react-query";

import { api, body, type Schemas } from "@/api/client";
import type { RunStatus } from "@/ui/status";

export type Stats = Schemas["StatsView"];
export type Cause = Schemas["CauseView"];
export type OpenRun = Schemas["RunView"];

export const OPEN: readonly RunStatus[] = ["requested", "waiting", "running", "paused", "cancelling"];

const SHOWN_RUNS = 8;

export const dashboardKey = ["dashboard"] as const;

export const statsQuery = queryOptions({
  queryKey: [...dashboardKey, "stats"],
  queryFn: ({ signal }) => body(api.GET("/api/v1/stats", { signal })),
});

/** The newest runs that have not ended. */
export const openRunsQuery = queryOptions({
  queryKey: [...dashboardKey, "open"],
  queryFn: ({ signal }) => body(api.GET("/api/v1/runs", { params: { query: { status: [...OPEN], limit: SHOWN_RUNS } }, signal })),
});

/** Whether anything was ever run here. */
export const anyRunQuery = queryOptions({
  queryKey: [...dashboardKey, "any"],
  queryFn: async ({ signal }) => (await body(api.GET("/api/v1/runs", { params: { query: { limit: 1 } }, signal }))).items.length > 0,
});
