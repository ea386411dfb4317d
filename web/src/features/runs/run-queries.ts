/** What the page of one run reads and changes, beside the run itself (api.ts). */
import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";

import { api, body, creating, type Schemas } from "@/api/client";

import { runKeys } from "./api";
import { type Matrix, matrixOf } from "./matrix/model";

export type Failures = Schemas["FailuresView"];
export type FailureGroup = Schemas["FailureGroup"];
export type Task = Schemas["TaskDetail"];
export type Attempt = Schemas["AttemptView"];
export type Trail = Schemas["TrailView"];
export type RerunBody = Schemas["RerunBody"];
export type Step = Schemas["StepView"];

const MATRIX_PAGE = 1_000;
const STEPS_PAGE = 50;

export const keys = {
  matrix: (id: string) => [...runKeys.detail(id), "matrix"] as const,
  failures: (id: string) => [...runKeys.detail(id), "failures"] as const,
  trail: (id: string, status: string) => [...runKeys.detail(id), "trail", status] as const,
  steps: (id: string) => [...runKeys.detail(id), "steps"] as const,
  task: (id: string) => ["tasks", id] as const,
};

const of = (run_id: string) => ({ path: { run_id } });

const readMatrix = async (id: string, signal: AbortSignal): Promise<Matrix> => {
  const pages: Schemas["MatrixView"][] = [];
  let cursor: string | null = null;
  do {
    const query: { limit: number; cursor?: string } = { limit: MATRIX_PAGE, ...(cursor === null ? {} : { cursor }) };
    const page: Schemas["MatrixView"] = await body(api.GET("/api/v1/runs/{run_id}/matrix", { params: { ...of(id), query }, signal }));
    pages.push(page);
    cursor = page.next_cursor;
    // The last page leaves it out.
  } while (cursor);
  return matrixOf(pages);
};

/** All targets by all steps. */
export const matrixQuery = (id: string) =>
  queryOptions({ queryKey: keys.matrix(id), queryFn: ({ signal }) => readMatrix(id, signal) });

export const failuresQuery = (id: string) =>
  queryOptions({
    queryKey: keys.failures(id),
    queryFn: ({ signal }) => body(api.GET("/api/v1/runs/{run_id}/failures", { params: of(id), signal })),
  });

/** `status`: a run that has become something else has another story. */
export const trailQuery = (id: string, status: string) =>
  queryOptions({
    queryKey: keys.trail(id, status),
    queryFn: ({ signal }) => body(api.GET("/api/v1/runs/{run_id}/trail", { params: of(id), signal })),
  });

export const definitionQuery = (id: string) =>
  queryOptions({
    queryKey: ["definitions", id],
    queryFn: ({ signal }) => body(api.GET("/api/v1/runs/{run_id}/definition", { params: of(id), signal })),
  });

export const taskQuery = (taskId: string) =>
  queryOptions({
    queryKey: keys.task(taskId),
    queryFn: ({ signal }) => body(api.GET("/api/v1/tasks/{task_id}", { params: { path: { task_id: taskId } }, signal })),
  });

export const stepsQuery = (id: string) =>
  infiniteQueryOptions({
    queryKey: keys.steps(id),
    queryFn: ({ pageParam, signal }) =>
      body(
        api.GET("/api/v1/runs/{run_id}/steps", {
          params: { ...of(id), query: { limit: STEPS_PAGE, ...(pageParam === null ? {} : { cursor: pageParam }) } },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
  });

export const useCancel = (id: string) => {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => body(api.POST("/api/v1/runs/{run_id}/cancel", { params: of(id) })),
    onSettled: () => queries.invalidateQueries({ queryKey: runKeys.detail(id) }),
  });
};

/** The new run's id. `key` stays the same however often the button is pressed. */
export const useRerun = (id: string) => {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ ask, key }: { ask: RerunBody; key: string }) =>
      body(api.POST("/api/v1/runs/{run_id}/rerun", { params: { ...of(id), header: creating(key) }, body: ask })),
    onSettled: () => queries.invalidateQueries({ queryKey: [...runKeys.all, "list"] }),
  });
};

export interface Verdict {
  tasks: readonly string[];
  verdict: "succeeded" | "failed";
  reason: string;
}

/** Say of tasks of which nobody knew how they ended what was found out; stops at the first refusal. */
export const useResolve = (id: string) => {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async ({ tasks, verdict, reason }: Verdict) => {
      for (const task_id of tasks)
        await api.POST("/api/v1/tasks/{task_id}/resolve", { params: { path: { task_id } }, body: { verdict, reason } });
    },
    onSettled: (_done, _error, { tasks }) =>
      Promise.all([
        queries.invalidateQueries({ queryKey: runKeys.detail(id) }),
        ...tasks.map((task) => queries.invalidateQueries({ queryKey: keys.task(task) })),
      ]),
  });
};
