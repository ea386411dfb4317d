/** A run as targets by steps: rows to show, what they are worth, and what people choose of them. Pure. */
import type { LiveEvent } from "@/api/live-events";
import type { Schemas } from "@/api/client";
import type { TaskState } from "@/ui/status";

export type Cell = Schemas["MatrixCell"];
export type MatrixStep = Schemas["MatrixStep"];

export interface Row {
  /** Stable, and unique in the run. */
  key: string;
  /** Null for what runs without a target. */
  target: string | null;
  /** One place per step; null where the target has no such task. */
  cells: Cells;
  /** What became of this target in a word. */
  state: TaskState;
}

export interface Matrix {
  steps: readonly MatrixStep[];
  rows: readonly Row[];
}

/** The first of these that any task of the target is in says how the target stands. */
const WEIGHT: readonly TaskState[] = ["failed", "timed_out", "unknown", "running", "ready", "cancelled", "pending"];

const ENDED: Readonly<Record<TaskState, boolean>> = {
  pending: false, ready: false, running: false,
  succeeded: true, failed: true, timed_out: true, cancelled: true, skipped: true, unknown: true,
};

export const taskEnded = (state: TaskState): boolean => ENDED[state];

/** What a task counts as: somebody may have settled what nobody knew. */
export const countsAs = (cell: Cell): TaskState => cell.resolution ?? cell.state;

const isFailing = (state: TaskState): boolean => state === "failed" || state === "timed_out" || state === "unknown";

type Cells = readonly (Cell | null)[];

const anyFails = (cells: Cells): boolean => cells.some((cell) => cell !== null && isFailing(countsAs(cell)));

/** `broken`: something failed in this run, so what is skipped was given up, not unneeded. */
const rowState = (cells: Cells, broken: boolean): TaskState => {
  const states = new Set(cells.flatMap((cell) => (cell ? [countsAs(cell)] : [])));
  const worst = WEIGHT.find((state) => states.has(state));
  if (worst) return worst;
  if (states.has("skipped") && (broken || !states.has("succeeded"))) return "skipped";
  return states.has("succeeded") ? "succeeded" : "pending";
};

/** Rows with the state that follows from their cells; those that keep it stay the same objects. */
const judged = (rows: readonly Row[]): Row[] => {
  const broken = rows.some(({ cells }) => anyFails(cells));
  return rows.map((row) => {
    const state = rowState(row.cells, broken);
    return state === row.state ? row : { ...row, state };
  });
};

const rowOf = (row: Schemas["MatrixRow"], steps: number): Row => {
  const cells: (Cell | null)[] = Array.from({ length: steps }, () => null);
  for (const cell of row.cells) cells[cell.step] = cell;
  return { key: row.target_id ?? row.target ?? "-", target: row.target ?? null, cells, state: "pending" };
};

export const matrixOf = (pages: readonly Schemas["MatrixView"][]): Matrix => {
  const steps = pages[0]?.steps ?? [];
  return { steps, rows: judged(pages.flatMap((page) => page.items.map((row) => rowOf(row, steps.length)))) };
};

interface Told {
  task: string;
  state: TaskState;
  attempt: number;
  exit_code?: number;
  error?: { code?: string };
  resolution?: "succeeded" | "failed";
}

const toldOf = (events: readonly LiveEvent[]): Map<string, Told> => {
  const told = new Map<string, Told>();
  for (const { event, data } of events)
    if (event === "tasks" && Array.isArray(data.tasks)) for (const task of data.tasks as Told[]) told.set(task.task, task);
  return told;
};

/** Whether what was told is older than what is known. */
const isOld = (cell: Cell, told: Told): boolean =>
  told.attempt < cell.attempt || (told.attempt === cell.attempt && taskEnded(cell.state) && told.resolution === undefined);

const patched = (cell: Cell, told: Told, now: string): Cell => ({
  ...cell,
  state: told.state,
  attempt: told.attempt,
  exit_code: told.exit_code ?? null,
  code: told.error?.code ?? null,
  waiting_for: null,
  started_at: told.attempt === cell.attempt ? (cell.started_at ?? now) : now,
  ended_at: taskEnded(told.state) ? (cell.ended_at ?? now) : null,
  resolution: told.resolution ?? cell.resolution ?? null,
});

/** The matrix after these events, with times as of `now` until they are read; the same object if nothing changed. */
export const withEvents = (matrix: Matrix, events: readonly LiveEvent[], now: string): Matrix => {
  const told = toldOf(events);
  if (told.size === 0) return matrix;
  const rows = matrix.rows.map((row) => {
    const cells = row.cells.map((cell) => {
      const news = cell ? told.get(cell.task_id) : undefined;
      return cell && news && !isOld(cell, news) ? patched(cell, news, now) : cell;
    });
    return cells.some((cell, step) => cell !== row.cells[step]) ? { ...row, cells } : row;
  });
  return rows.some((row, index) => row !== matrix.rows[index]) ? { ...matrix, rows: judged(rows) } : matrix;
};

export interface Wanted {
  states: readonly TaskState[];
  name: string;
}

/** What fits, what failed first, otherwise in the order of names. */
export const shownRows = ({ rows }: Matrix, { states, name }: Wanted): Row[] => {
  const part = name.trim().toLowerCase();
  const fits = rows.filter(
    (row) => (states.length === 0 || states.includes(row.state)) && (part === "" || (row.target ?? "").toLowerCase().includes(part)),
  );
  return [...fits.filter((row) => isFailing(row.state)), ...fits.filter((row) => !isFailing(row.state))];
};

/** Targets by how they stand; only what occurs, the worst first. */
export const tallyOf = ({ rows }: Matrix): [TaskState, number][] => {
  const counts = new Map<TaskState, number>();
  for (const { state } of rows) counts.set(state, (counts.get(state) ?? 0) + 1);
  return ([...WEIGHT, "succeeded", "skipped"] as const).flatMap((state) => {
    const count = counts.get(state);
    return count === undefined ? [] : [[state, count] as [TaskState, number]];
  });
};

const NOT_DONE: ReadonlySet<TaskState> = new Set(["failed", "timed_out", "unknown", "skipped", "cancelled", "pending", "ready", "running"]);

export interface RerunCounts {
  all: number;
  failed: number;
  /** Also skipped, cancelled and never reached. */
  notSucceeded: number;
}

export const rerunCounts = ({ rows }: Matrix): RerunCounts => {
  const named = rows.filter(({ target }) => target !== null);
  const having = (fits: (state: TaskState) => boolean): number =>
    named.filter(({ cells }) => cells.some((cell) => cell !== null && fits(countsAs(cell)))).length;
  return { all: named.length, failed: having(isFailing), notSucceeded: having((state) => NOT_DONE.has(state)) };
};

/** Targets whose task of this step went wrong in this way. */
export const targetsLike = ({ rows, steps }: Matrix, cause: { step: string; state: TaskState; code: string | null; exit_code: number | null }): string[] => {
  const at = steps.findIndex(({ name }) => name === cause.step);
  return rows.flatMap(({ target, cells }) => {
    const cell = cells[at];
    const alike = cell?.state === cause.state && (cell.code ?? null) === cause.code && (cell.exit_code ?? null) === cause.exit_code;
    return alike && target !== null ? [target] : [];
  });
};

export interface CancelReport {
  stopped: string[];
  stopping: string[];
  unknown: string[];
  /** Ended by themselves before the stop reached them. */
  finished: number;
  /** Never begun. */
  spared: number;
}

/** What a cancel really did, per task: of those that ran when it was asked for. */
export const cancelReport = ({ rows, steps }: Matrix, requestedAt: string): CancelReport => {
  const report: CancelReport = { stopped: [], stopping: [], unknown: [], finished: 0, spared: 0 };
  const since = Date.parse(requestedAt);
  for (const row of rows)
    for (const cell of row.cells) {
      if (!cell) continue;
      const place = `${steps[cell.step]?.name ?? "?"}${row.target === null ? "" : ` on ${row.target}`}`;
      if (cell.state === "running") report.stopping.push(place);
      else if (!cell.started_at) report.spared += cell.state === "cancelled" || cell.state === "pending" || cell.state === "ready" || cell.state === "skipped" ? 1 : 0;
      else if (!cell.ended_at || Date.parse(cell.ended_at) >= since) {
        if (cell.state === "cancelled") report.stopped.push(place);
        else if (cell.state === "unknown") report.unknown.push(place);
        else report.finished += 1;
      }
    }
  return report;
};
