/** What the tiles say, from what the API counts. Pure. */
import { age, count } from "@/lib/span";
import type { RunStatus, Tone } from "@/ui/status";

import type { Stats } from "./api";

export const sum = (counts: Partial<Record<string, number>>, names: readonly string[]): number =>
  names.reduce((total, name) => total + (counts[name] ?? 0), 0);

/** Ended otherwise than wished, of the last day; what people stopped themselves is not among them. */
export const UNHAPPY: readonly RunStatus[] = ["failed", "partial", "unknown"];

export interface Tile {
  id: string;
  title: string;
  figure: string;
  note: string;
  tone: Tone;
}

const openTile = ({ runs_open: open }: Stats): Tile => {
  const [running, queued] = [sum(open, ["running", "cancelling"]), sum(open, ["requested", "waiting"])];
  return {
    id: "open", title: "Running now", figure: String(running), tone: running > 0 ? "busy" : "off",
    note: `${queued} queued${open.paused ? `, ${open.paused} paused` : ""}`,
  };
};

const failedTile = ({ runs_24h: day }: Stats): Tile => {
  const [bad, all] = [sum(day, UNHAPPY), sum(day, Object.keys(day))];
  return { id: "failed", title: "Failed, 24 h", figure: String(bad), tone: bad > 0 ? "bad" : "ok", note: `of ${count(all, "run")}` };
};

const unknownTile = ({ unresolved }: Stats): Tile => ({
  id: "unknown", title: "Unknown outcomes", figure: String(unresolved), tone: unresolved > 0 ? "odd" : "ok",
  note: unresolved > 0 ? "wait for a person to look" : "nothing waits for a person",
});

const backlogTile = ({ backlog }: Stats): Tile => {
  const tasks = backlog.reduce((total, pool) => total + pool.tasks, 0);
  const oldest = Math.max(0, ...backlog.map((pool) => pool.oldest_seconds));
  return {
    id: "backlog", title: "Waiting tasks", figure: tasks.toLocaleString("en"), tone: tasks > 0 ? "wait" : "ok",
    note: tasks > 0 ? `oldest for ${age(oldest)}` : "no backlog",
  };
};

const workersTile = ({ workers_alive, workers_silent, slots, slots_used }: Stats): Tile => ({
  id: "workers", title: "Workers", figure: String(workers_alive),
  tone: workers_alive === 0 ? "bad" : workers_silent > 0 ? "warn" : "ok",
  note: workers_silent > 0 ? `${workers_silent} silent` : `${slots_used} of ${count(slots, "slot")} used`,
});

const lettersTile = ({ dead_letters: open }: Stats): Tile => ({
  id: "letters", title: "Dead letters", figure: String(open), tone: open > 0 ? "bad" : "ok",
  note: open > 0 ? "wait for a decision" : "none open",
});

export const tilesOf = (stats: Stats): readonly Tile[] =>
  [openTile, failedTile, unknownTile, backlogTile, workersTile, lettersTile].map((tile) => tile(stats));
