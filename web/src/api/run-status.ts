/** Which statuses a run keeps. The record is total: a status that is added to the API does not compile without it. */
import type { Schemas } from "./client";

type RunStatus = Schemas["RunStatus"];

const ENDED: Readonly<Record<RunStatus, boolean>> = {
  requested: false, waiting: false, running: false, paused: false, cancelling: false,
  succeeded: true, partial: true, failed: true, cancelled: true, unknown: true,
};

export const runEnded = (status: RunStatus): boolean => ENDED[status];

export const isRunStatus = (value: unknown): value is RunStatus => typeof value === "string" && value in ENDED;
