import { queryOptions } from "@tanstack/react-query";

import { api, body, type Schemas } from "@/api/client";

export type Worker = Schemas["WorkerView"];
export type Backlog = Schemas["BacklogView"];

export const workersKey = ["workers"] as const;

export const workersQuery = queryOptions({
  queryKey: workersKey,
  queryFn: ({ signal }) => body(api.GET("/api/v1/worker/status", { signal })),
});

/** Pools with what waits in them and how many executors serve them. */
export const poolsQuery = queryOptions({
  queryKey: [...workersKey, "pools"],
  queryFn: async ({ signal }) => (await body(api.GET("/api/v1/queues", { signal }))).pools,
});
