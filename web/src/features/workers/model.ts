/** Which workers are shown, and what is wrong with a pool. Pure. */
import type { Schemas } from "@/api/client";
import { age, count } from "@/lib/span";
import type { StatusLook } from "@/ui/status";

import type { Worker } from "./api";
import type { WorkersFilter } from "./search";

export type Pool = Schemas["PoolView"];

export type WorkerState = Worker["state"];

/** Total: a state that is added to the API does not compile until it stands here. */
export const WORKER_STATE: Readonly<Record<WorkerState, StatusLook>> = {
  serving: { word: "Serving", glyph: "●", tone: "ok", meaning: "It is alive and takes work." },
  draining: { word: "Draining", glyph: "◌", tone: "warn", meaning: "It was told to end: it takes no more work, gives what runs a moment to end, and hands over the rest." },
  stale: { word: "Stale", glyph: "✕", tone: "bad", meaning: "It has not been heard of for a whole lease: it crashed, or cannot reach the database. What it held is taken over by others." },
};

/** What its state means for people, in a line; null for one that serves. */
export const stateNote = ({ state, running }: Pick<Worker, "state" | "running">): string | null => {
  if (state === "draining") return running > 0 ? `ends after ${count(running, "task")}, or hands over` : "takes no more work";
  if (state === "stale") return running > 0 ? `${count(running, "task")} to be taken over` : "nothing was lost with it";
  return null;
};

/** Slots that can take work now, and all there are. */
export const slotsOf = (workers: readonly Worker[]): { used: number; free: number; all: number } => {
  const serving = workers.filter((worker) => isExecutor(worker) && worker.state === "serving");
  const all = serving.reduce((total, { slots }) => total + slots, 0);
  const used = serving.reduce((total, { running }) => total + running, 0);
  return { used, free: Math.max(0, all - used), all };
};

export const isExecutor = ({ roles }: Worker): boolean => roles.includes("executor");

export const fits = (worker: Worker, { pool, role, state }: WorkersFilter): boolean =>
  (pool === undefined || worker.pools.includes(pool)) &&
  (role === undefined || worker.roles.includes(role)) &&
  (state === undefined || worker.state === state);

/** Every value that stands in any of the lists, sorted. */
export const distinct = (lists: readonly (readonly string[])[]): string[] => [...new Set(lists.flat())].sort();

/** Why tasks of this pool do not start; null when somebody serves it. */
export const unserved = ({ pool, executors, ready, oldest_seconds }: Pool): string | null => {
  if (executors > 0) return null;
  const waiting = ready > 0 ? ` ${count(ready, "task")} ${ready === 1 ? "waits" : "wait"}, the oldest for ${age(oldest_seconds)}.` : "";
  return `No living executor serves the pool ${pool}.${waiting} Start one with OPS_POOLS=${pool}, or move its targets to a pool that is served.`;
};
