import * as z from "zod/mini";

import type { RunStatus, TaskState } from "@/ui/status";
import { RUN_STATUS, TASK_STATE } from "@/ui/status";

export const RUN_STATUSES = Object.keys(RUN_STATUS) as RunStatus[];
const TASK_STATES = Object.keys(TASK_STATE) as TaskState[];

const words = (length: number) => z.catch(z.optional(z.string().check(z.maxLength(length))), undefined);

/** How far back a list reaches. */
export const SINCE = ["1h", "24h", "7d", "30d"] as const;

/** The filters of the run list as they stand in the address. What is not understood is left out. */
export const runsSearch = z.object({
  q: words(200),
  status: z.catch(z.optional(z.array(z.enum(RUN_STATUSES))), undefined),
  job: z.catch(z.optional(z.uuid()), undefined),
  target: words(253),
  by: words(100),
  since: z.catch(z.optional(z.enum(SINCE)), undefined),
});

export type RunsFilter = z.output<typeof runsSearch>;

export const RUN_TABS = ["log", "results", "parameters", "definition", "trail"] as const;
export type RunTab = (typeof RUN_TABS)[number];

/** What of a run is looked at: one target, one step, or both (`t`, `s`); rows of the matrix by name and state. */
export const runSearch = z.object({
  t: words(253),
  s: words(64),
  name: words(253),
  state: z.catch(z.optional(z.array(z.enum(TASK_STATES))), undefined),
  tab: z.catch(z.optional(z.enum(RUN_TABS)), undefined),
});

export type RunSearch = z.output<typeof runSearch>;

/** Of the plain log page. */
export const logSearch = z.object({ t: words(253), s: words(64) });
