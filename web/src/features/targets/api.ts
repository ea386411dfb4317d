import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";

import { api, body, creating, ifMatch, type Schemas, tagged } from "@/api/client";

import type { TargetsFilter } from "./search";

export type Target = Schemas["TargetView"];
export type TargetSpec = Schemas["TargetSpec"];
export type TargetOs = Schemas["TargetOs"];
export type ConnectionTest = Schemas["ConnectionTestView"];
export type TestOverride = Schemas["ConnectionTestRequest"];
export type Winrm = Schemas["WinrmSettings"];
export type Ssh = Schemas["SshSettings"];

const PAGE = 100;
/** Seconds the gateway keeps the line open for a result. */
const WAIT = 20;

export const targetKeys = {
  all: ["targets"] as const,
  lists: ["targets", "list"] as const,
  list: (filter: TargetsFilter) => [...targetKeys.lists, filter] as const,
  one: (id: string) => ["targets", "one", id] as const,
  runs: (id: string) => ["targets", "runs", id] as const,
  tests: (id: string) => ["targets", "tests", id] as const,
};

const asked = (filter: TargetsFilter) => ({
  ...(filter.os ? { os: filter.os } : {}),
  ...(filter.pool ? { pool: filter.pool } : {}),
  ...(filter.name ? { name: filter.name } : {}),
  ...(filter.tag ? { tag: filter.tag } : {}),
  ...(filter.query ? { query: filter.query } : {}),
  ...(filter.test ? { test: filter.test } : {}),
  ...(filter.sort ? { sort: filter.sort } : {}),
});

export const targetsQuery = (filter: TargetsFilter) =>
  infiniteQueryOptions({
    queryKey: targetKeys.list(filter),
    queryFn: ({ pageParam, signal }) =>
      body(
        api.GET("/api/v1/targets", {
          params: { query: { limit: PAGE, ...(pageParam === null ? {} : { cursor: pageParam }), ...asked(filter) } },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
  });

/** A target with the tag to change it by. */
export const readTarget = (id: string, signal?: AbortSignal): Promise<{ data: Target; etag: string | null }> =>
  tagged(api.GET("/api/v1/targets/{target_id}", { params: { path: { target_id: id } }, ...(signal ? { signal } : {}) }));

export const targetQuery = (id: string) =>
  queryOptions({ queryKey: targetKeys.one(id), queryFn: ({ signal }) => readTarget(id, signal) });

/** Enough of them to choose one by name. */
export const targetChoicesQuery = queryOptions({
  queryKey: ["targets", "choices"],
  queryFn: ({ signal }) => body(api.GET("/api/v1/targets", { params: { query: { limit: 200 } }, signal })),
});

/** Pools and tags that are in use. */
export const pickerQuery = queryOptions({
  queryKey: ["targets", "picker"],
  queryFn: ({ signal }) => body(api.GET("/api/v1/targets/tags", { signal })),
  staleTime: 60_000,
});

export const targetRunsQuery = (id: string) =>
  queryOptions({
    queryKey: targetKeys.runs(id),
    queryFn: ({ signal }) =>
      body(api.GET("/api/v1/targets/{target_id}/runs", { params: { path: { target_id: id }, query: { limit: 20 } }, signal })),
  });

/** Jobs that name it or select it, and targets that are reached through it. */
export const targetUsesQuery = (id: string) =>
  queryOptions({
    queryKey: [...targetKeys.one(id), "uses"],
    queryFn: ({ signal }) => body(api.GET("/api/v1/targets/{target_id}/uses", { params: { path: { target_id: id } }, signal })),
  });

export const targetTestsQuery = (id: string) =>
  queryOptions({
    queryKey: targetKeys.tests(id),
    queryFn: ({ signal }) =>
      body(api.GET("/api/v1/connection-tests", { params: { query: { target_id: id, limit: 10 } }, signal })),
  });

export const createTarget = (spec: TargetSpec, key: string): Promise<{ data: Target; etag: string | null }> =>
  tagged(api.POST("/api/v1/targets", { params: { header: creating(key) }, body: spec }));

export const replaceTarget = (id: string, spec: TargetSpec, etag: string | null): Promise<{ data: Target; etag: string | null }> =>
  tagged(
    api.PUT("/api/v1/targets/{target_id}", {
      params: { path: { target_id: id } },
      ...(etag === null ? {} : { headers: ifMatch(etag) }),
      body: spec,
    }),
  );

/** With `force` also while jobs or other targets name it. */
export const deleteTarget = async (id: string, force: boolean): Promise<void> => {
  await api.DELETE("/api/v1/targets/{target_id}", { params: { path: { target_id: id }, query: { force } } });
};

export interface TestWanted {
  /** What is tested instead of what is stored. */
  override?: TestOverride;
  /** Try a credential although it is on hold. */
  evenIfHeld?: boolean;
}

/** Begin a test; answers with its result when that comes within twenty seconds. */
export const startTest = (id: string, { override, evenIfHeld = false }: TestWanted = {}): Promise<ConnectionTest> =>
  body(
    api.POST("/api/v1/targets/{target_id}/test", {
      params: { path: { target_id: id }, query: { wait: WAIT, even_if_held: evenIfHeld } },
      ...(override ? { body: override } : {}),
    }),
  );

export const testEnded = ({ status }: { status: Schemas["ConnectionTestStatus"] }): boolean =>
  status === "succeeded" || status === "failed";

/** The same test once it has ended; asks again for as long as it takes. */
export const awaitTest = async (test: ConnectionTest, signal?: AbortSignal): Promise<ConnectionTest> => {
  let seen = test;
  while (!testEnded(seen)) {
    signal?.throwIfAborted();
    seen = await body(
      api.GET("/api/v1/connection-tests/{test_id}", {
        params: { path: { test_id: test.id }, query: { wait: WAIT } },
        ...(signal ? { signal } : {}),
      }),
    );
  }
  return seen;
};

export const testMany = (ids: readonly string[]): Promise<Schemas["BulkTestAccepted"]> =>
  body(api.POST("/api/v1/targets/test", { body: { ids: [...ids] } }));

export const pinTarget = (id: string, seen: Schemas["PinRequest"]): Promise<Target> =>
  body(api.POST("/api/v1/targets/{target_id}/pin", { params: { path: { target_id: id } }, body: seen }));

export type JobChoice = Schemas["JobView"];

export const jobChoicesQuery = queryOptions({
  queryKey: ["jobs", "choices"],
  queryFn: ({ signal }) => body(api.GET("/api/v1/jobs", { params: { query: { limit: 200 } }, signal })),
  staleTime: 60_000,
});

/** Start a job; with `target` it runs there instead of where the job says. */
export const runJob = (jobId: string, target: string | null, key: string): Promise<Schemas["RunAccepted"]> =>
  body(
    api.POST("/api/v1/jobs/{job_id}/run", {
      params: { path: { job_id: jobId }, header: creating(key) },
      body: { parameters: {}, targets: target === null ? null : [target], even_if_inactive: false },
    }),
  );
