import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";

import { api, body, type Schemas } from "@/api/client";

export type Queue = Schemas["QueueView"];
export type Pool = Schemas["PoolView"];
export type Letter = Schemas["DeadLetterView"];
export type LetterDetail = Schemas["DeadLetterDetail"];
export type LetterGroup = Schemas["LetterGroup"];
export type LetterStatus = Schemas["DeadLetterStatus"];

const PAGE = 100;
/** How many letters one request may decide about. */
export const BATCH = 200;

export const queuesKey = ["queues"] as const;
export const lettersKey = ["letters"] as const;

export const queuesQuery = queryOptions({
  queryKey: queuesKey,
  queryFn: ({ signal }) => body(api.GET("/api/v1/queues", { signal })),
});

export const lettersQuery = (status: LetterStatus) =>
  infiniteQueryOptions({
    queryKey: [...lettersKey, "list", status],
    queryFn: ({ pageParam, signal }) =>
      body(api.GET("/api/v1/dlq", { params: { query: { status, limit: PAGE, ...(pageParam === null ? {} : { cursor: pageParam }) } }, signal })),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
  });

export const groupsQuery = queryOptions({
  queryKey: [...lettersKey, "groups"],
  queryFn: async ({ signal }) => (await body(api.GET("/api/v1/dlq/groups", { signal }))).items,
});

export const letterQuery = (id: string) =>
  queryOptions({
    queryKey: [...lettersKey, "detail", id],
    queryFn: ({ signal }) => body(api.GET("/api/v1/dlq/{letter_id}", { params: { path: { letter_id: id } }, signal })),
  });

/** The run that a parked task belongs to. */
export const taskRunQuery = (taskId: string) =>
  queryOptions({
    queryKey: [...lettersKey, "task", taskId],
    queryFn: async ({ signal }) => (await body(api.GET("/api/v1/tasks/{task_id}", { params: { path: { task_id: taskId } }, signal }))).run_id,
  });

export interface Decision {
  action: "replay" | "discard";
  ids: readonly string[];
  reason?: string;
}

export interface Decided {
  done: number;
  refused: { id: string; detail: string }[];
}

/** Decide about many; a refusal of one does not stop the others. */
export const decide = async ({ action, ids, reason }: Decision): Promise<Decided> => {
  const decided: Decided = { done: 0, refused: [] };
  for (let from = 0; from < ids.length; from += BATCH) {
    const view = await body(
      api.POST("/api/v1/dlq/bulk", { body: { action, ids: ids.slice(from, from + BATCH), reason: reason ?? null } }),
    );
    decided.done += view.done;
    for (const { ok, id, detail } of view.items) if (!ok) decided.refused.push({ id, detail: detail ?? "It was refused." });
  }
  return decided;
};

export const useDecide = () => {
  const queries = useQueryClient();
  return useMutation({ mutationFn: decide, onSettled: () => queries.invalidateQueries({ queryKey: lettersKey }) });
};

/** Send an edited body in place of the original one. */
export const useEditedReplay = (id: string) => {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (edited: Record<string, unknown>) =>
      body(api.POST("/api/v1/dlq/{letter_id}/replay", { params: { path: { letter_id: id } }, body: { body: edited } })),
    onSettled: () => queries.invalidateQueries({ queryKey: lettersKey }),
  });
};
