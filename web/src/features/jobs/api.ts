import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";

import { api, body, creating, ifMatch, type Schemas, tagged } from "@/api/client";

import type { JobsFilter } from "./search";

export type Job = Schemas["JobView"];
export type JobDetail = Schemas["JobDetail"];
export type JobVersion = Schemas["JobVersionView"];
export type JobProblem = Schemas["JobProblem"];
export type TargetsPreview = Schemas["TargetsPreview"];
export type Targets = Schemas["RunBody"]["targets"];
export type Run = Schemas["RunView"];

const PAGE = 100;
const YAML = { "content-type": "application/yaml" };
/** Sent as it is, not as a JSON string. */
const asIs = (text: unknown): string => text as string;

export const jobKeys = {
  all: ["jobs"] as const,
  lists: ["jobs", "list"] as const,
  list: (filter: JobsFilter) => [...jobKeys.lists, filter] as const,
  job: (id: string) => [...jobKeys.all, "job", id] as const,
  text: (id: string) => [...jobKeys.job(id), "text"] as const,
  versions: (id: string) => [...jobKeys.job(id), "versions"] as const,
  version: (id: string, version: number) => [...jobKeys.versions(id), version] as const,
};

export const jobsQuery = (filter: JobsFilter) =>
  infiniteQueryOptions({
    queryKey: jobKeys.list(filter),
    queryFn: ({ pageParam, signal }) =>
      body(
        api.GET("/api/v1/jobs", {
          params: {
            query: {
              limit: PAGE,
              ...(pageParam === null ? {} : { cursor: pageParam }),
              ...(filter.name === undefined ? {} : { name: filter.name }),
              ...(filter.active === undefined ? {} : { active: filter.active === "yes" }),
              ...(filter.sort === undefined ? {} : { sort: filter.sort }),
            },
          },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
  });

/** Enough of them to choose one by name. */
export const jobChoicesQuery = queryOptions({
  queryKey: ["jobs", "choices"],
  queryFn: ({ signal }) => body(api.GET("/api/v1/jobs", { params: { query: { limit: 200 } }, signal })),
  staleTime: 60_000,
});

export const jobQuery = (id: string) =>
  queryOptions({
    queryKey: jobKeys.job(id),
    queryFn: ({ signal }) => body(api.GET("/api/v1/jobs/{job_id}", { params: { path: { job_id: id } }, signal })) as Promise<JobDetail>,
  });

export interface JobText {
  text: string;
  etag: string | null;
}

/** The definition as its author wrote it, with the tag to save it by. */
export const readText = async (id: string, signal?: AbortSignal): Promise<JobText> => {
  const { data, etag } = await tagged(
    api.GET("/api/v1/jobs/{job_id}", {
      params: { path: { job_id: id } },
      headers: { accept: "application/yaml" },
      parseAs: "text",
      ...(signal ? { signal } : {}),
    }),
  );
  return { text: data, etag };
};

export const jobTextQuery = (id: string) =>
  queryOptions({ queryKey: jobKeys.text(id), queryFn: ({ signal }) => readText(id, signal), staleTime: 0, gcTime: 0 });

export const versionsQuery = (id: string) =>
  infiniteQueryOptions({
    queryKey: jobKeys.versions(id),
    queryFn: ({ pageParam, signal }) =>
      body(
        api.GET("/api/v1/jobs/{job_id}/versions", {
          params: { path: { job_id: id }, query: { limit: 50, ...(pageParam === null ? {} : { cursor: pageParam }) } },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
  });

export const versionQuery = (id: string, version: number) =>
  queryOptions({
    queryKey: jobKeys.version(id, version),
    queryFn: ({ signal }) =>
      body(api.GET("/api/v1/jobs/{job_id}/versions/{version}", { params: { path: { job_id: id, version } }, signal })),
    staleTime: Infinity,
  });

/** Runs by version, and kept filters that show them. */
export const jobUsesQuery = (id: string) =>
  queryOptions({
    queryKey: [...jobKeys.job(id), "uses"],
    queryFn: ({ signal }) => body(api.GET("/api/v1/jobs/{job_id}/uses", { params: { path: { job_id: id } }, signal })),
  });

export const lastRunsQuery = (id: string) =>
  infiniteQueryOptions({
    queryKey: ["runs", "of-job", id],
    queryFn: ({ pageParam, signal }) =>
      body(
        api.GET("/api/v1/runs", {
          params: { query: { job_id: id, limit: 50, ...(pageParam === null ? {} : { cursor: pageParam }) } },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
  });

/** What the newest run of a job was given, to begin the next one with. */
export const lastValuesQuery = (id: string) =>
  queryOptions({
    queryKey: [...jobKeys.job(id), "last-values"],
    queryFn: async ({ signal }) => {
      const { items } = await body(api.GET("/api/v1/runs", { params: { query: { job_id: id, limit: 1 } }, signal }));
      const [run] = items;
      if (!run) return null;
      const { parameters, parameter_names } = await body(api.GET("/api/v1/runs/{run_id}", { params: { path: { run_id: run.id } }, signal }));
      return { parameters, names: parameter_names };
    },
    staleTime: 0,
  });

export const jobSchemaQuery = queryOptions({
  queryKey: ["schemas", "job"],
  queryFn: async ({ signal }) => body(api.GET("/api/v1/schemas/job.json", { signal, parseAs: "json" })) as Promise<unknown>,
  staleTime: Infinity,
});

export const previewQuery = (definition: Record<string, unknown>, targets: Targets) =>
  queryOptions({
    queryKey: ["jobs", "preview", definition, targets],
    queryFn: ({ signal }) => body(api.POST("/api/v1/jobs/preview-targets", { body: { definition, targets }, signal })),
    retry: false,
    staleTime: 15_000,
  });

export const validateText = (text: string, signal?: AbortSignal): Promise<Schemas["ValidationView"]> =>
  body(api.POST("/api/v1/jobs/validate", { headers: YAML, body: text as never, bodySerializer: asIs, ...(signal ? { signal } : {}) }));

const messageOf = (message: string): { message?: string } => (message.trim() === "" ? {} : { message: message.trim() });

export const createJob = (text: string, message: string, key: string) =>
  tagged(
    api.POST("/api/v1/jobs", {
      params: { query: messageOf(message), header: creating(key) }, headers: YAML, body: text as never, bodySerializer: asIs,
    }),
  );

export const changeJob = (id: string, text: string, message: string, etag: string | null) =>
  tagged(
    api.PUT("/api/v1/jobs/{job_id}", {
      params: { path: { job_id: id }, query: messageOf(message) },
      headers: { ...YAML, ...(etag === null ? {} : ifMatch(etag)) },
      body: text as never,
      bodySerializer: asIs,
    }),
  );

/** Everything known of jobs is read anew; what was just changed is told everywhere. */
const useAfterChange = () => {
  const queries = useQueryClient();
  return () => queries.invalidateQueries({ queryKey: jobKeys.all });
};

export const useSetActive = (id: string) => {
  const done = useAfterChange();
  return useMutation({
    mutationFn: (reason: string | null) =>
      reason === null
        ? body(api.POST("/api/v1/jobs/{job_id}/activate", { params: { path: { job_id: id } } }))
        : body(api.POST("/api/v1/jobs/{job_id}/deactivate", { params: { path: { job_id: id } }, body: { reason } })),
    onSettled: done,
  });
};

export const useDeleteJob = (id: string) => {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => body(api.DELETE("/api/v1/jobs/{job_id}", { params: { path: { job_id: id } } })),
    onSuccess: () => {
      queries.removeQueries({ queryKey: jobKeys.job(id) });
      return queries.invalidateQueries({ queryKey: jobKeys.lists });
    },
  });
};

export interface RunWish {
  parameters: Record<string, unknown>;
  targets: Targets;
  even_if_inactive: boolean;
}

export const useStartRun = (jobId: string) => {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ wish, key }: { wish: RunWish; key: string }) =>
      body(api.POST("/api/v1/jobs/{job_id}/run", { params: { path: { job_id: jobId }, header: creating(key) }, body: wish })),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ["runs"] });
      void queries.invalidateQueries({ queryKey: jobKeys.all });
    },
  });
};

/** A version that existed becomes the newest one again. */
export const useRestore = (id: string) => {
  const queries = useQueryClient();
  const done = useAfterChange();
  return useMutation({
    mutationFn: async (version: number) => {
      const { text } = await queries.query({ ...versionQuery(id, version), staleTime: "static" });
      const { etag } = await readText(id);
      return changeJob(id, text, `Restore version ${version}`, etag);
    },
    onSettled: done,
  });
};
