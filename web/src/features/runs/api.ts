import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";

import { api, body, creating, type Schemas } from "@/api/client";

import type { RunsFilter } from "./search";

export type Run = Schemas["RunView"];
export type RunDetail = Schemas["RunDetail"];
export type RunPage = Schemas["Page_RunView_"];

export const PAGE = 100;

export const runKeys = {
  all: ["runs"] as const,
  list: (filter: RunsFilter) => [...runKeys.all, "list", filter] as const,
  detail: (id: string) => [...runKeys.all, "detail", id] as const,
};

const HOURS: Readonly<Record<NonNullable<RunsFilter["since"]>, number>> = { "1h": 1, "24h": 24, "7d": 168, "30d": 720 };

/** The filter as the API has it; `now` is what "the last hour" counts from. */
export const askOf = ({ q, status, job, target, by, since }: RunsFilter, now: Date): Schemas["RunFilterBody"] => ({
  ...(q === undefined ? {} : { q }),
  ...(status ? { status } : {}),
  ...(job === undefined ? {} : { job_id: job }),
  ...(target === undefined ? {} : { target }),
  ...(by === undefined ? {} : { requested_by: by }),
  ...(since === undefined ? {} : { since: new Date(now.getTime() - HOURS[since] * 3_600_000).toISOString() }),
});

/** One page of the list, newest first. */
export const readRuns = (filter: RunsFilter, cursor: string | null, signal?: AbortSignal): Promise<RunPage> =>
  body(
    api.GET("/api/v1/runs", {
      params: {
        query: {
          limit: PAGE,
          ...(cursor === null ? {} : { cursor }),
          ...askOf(filter, new Date()),
        },
      },
      ...(signal ? { signal } : {}),
    }),
  );

export const runsQuery = (filter: RunsFilter) =>
  infiniteQueryOptions({
    queryKey: runKeys.list(filter),
    queryFn: ({ pageParam, signal }) => readRuns(filter, pageParam, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
  });

export const runQuery = (id: string) =>
  queryOptions({
    queryKey: runKeys.detail(id),
    queryFn: ({ signal }) => body(api.GET("/api/v1/runs/{run_id}", { params: { path: { run_id: id } }, signal })),
  });

export const jobNamesQuery = queryOptions({
  queryKey: ["jobs", "names"],
  queryFn: ({ signal }) => body(api.GET("/api/v1/jobs", { params: { query: { limit: 200 } }, signal })),
});

export type BulkAction = Schemas["BulkBody"]["action"];
export type BulkResult = Schemas["BulkView"];

/** Which runs: those that were ticked, or all that fit a filter. */
export type Which = { ids: readonly string[] } | { filter: RunsFilter };

type Choice = Pick<Schemas["BulkBody"], "ids" | "filter">;

/** Ids that one request takes. */
const IDS = 500;

/** What to ask one after the other; "the last hour" stays the same hour for all of it. */
const choicesOf = (which: Which): Choice[] => {
  if ("filter" in which) return [{ filter: askOf(which.filter, new Date()) }];
  return Array.from({ length: Math.ceil(which.ids.length / IDS) }, (_, part) => ({ ids: which.ids.slice(part * IDS, (part + 1) * IDS) }));
};

export type Again = Pick<Schemas["RerunBody"], "tasks">;

const askBulk = (ask: Pick<Schemas["BulkBody"], "action" | "ids" | "filter" | "below" | "dry_run">, tasks: Again["tasks"] = "all"): Promise<BulkResult> =>
  body(api.POST("/api/v1/runs/bulk", { body: { ...ask, rerun: { tasks, version: "same", parameters: {} } } }));

/** How many runs that fit a filter an action would be about; counts up to 10,000. */
export const countRuns = (action: BulkAction, filter: RunsFilter): Promise<BulkResult> =>
  askBulk({ action, dry_run: true, filter: askOf(filter, new Date()) });

export interface BulkWish {
  action: BulkAction;
  which: Which;
  /** Told after each part; the rest is left alone once `stopped` says so. */
  onPart?: (done: number) => void;
  stopped?: () => boolean;
}

export interface BulkOutcome {
  done: number;
  failed: number;
  /** Left alone because somebody stopped it. */
  left: number;
  /** Why the first that was refused was. */
  refusal: string | null;
}

/** Acts on all of them, part after part, the newest first; a refusal of one does not stop the rest. */
export const actOnRuns = async ({ action, which, onPart, stopped }: BulkWish): Promise<BulkOutcome> => {
  const outcome: BulkOutcome = { done: 0, failed: 0, left: 0, refusal: null };
  const waiting: (Choice & { below?: string })[] = choicesOf(which);
  for (let choice = waiting.shift(); choice; choice = waiting.shift()) {
    const part = await askBulk({ action, dry_run: false, ...choice });
    outcome.done += part.done;
    outcome.failed += part.failed;
    outcome.refusal ??= part.items.find(({ ok }) => !ok)?.detail ?? null;
    onPart?.(outcome.done + outcome.failed);
    if (part.next !== null) waiting.push({ ...choice, below: part.next });
    if (stopped?.()) {
      outcome.left = part.remaining + waiting.reduce((all, { ids }) => all + (ids?.length ?? 0), 0);
      break;
    }
  }
  return outcome;
};

export const useBulk = () => {
  const queries = useQueryClient();
  return useMutation({ mutationFn: actOnRuns, onSettled: () => queries.invalidateQueries({ queryKey: runKeys.all }) });
};

/** Start one run once more, or what of it did not go well; answers with the new run. */
export const rerun = (id: string, tasks: Again["tasks"], key: string): Promise<Schemas["RunAccepted"]> =>
  body(
    api.POST("/api/v1/runs/{run_id}/rerun", {
      params: { path: { run_id: id }, header: creating(key) }, body: { tasks, version: "same", parameters: {} },
    }),
  );
