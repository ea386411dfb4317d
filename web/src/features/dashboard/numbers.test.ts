import { expect, test } from "vitest";

import type { Stats } from "./api";
import { tilesOf } from "./numbers";

const quiet: Stats = {
  runs_24h: {}, runs_open: {}, causes: [], unresolved: 0, dead_letters: 0, workers_alive: 1, workers_silent: 0, slots: 100, slots_used: 0,
  backlog: [], targets: {}, read_at: "2026-11-22T00:00:00Z",
};
const tones = (stats: Stats) => Object.fromEntries(tilesOf(stats).map(({ id, tone }) => [id, tone]));

test("a quiet system shows nothing that alarms", () => {
  expect(Object.values(tones(quiet))).not.toContain("bad");
  expect(tilesOf({ ...quiet, runs_24h: { succeeded: 3, failed: 1, cancelled: 2 } }).find(({ id }) => id === "failed")).toMatchObject({ figure: "1", note: "of 6 runs" });
});

test("no worker, a failure, a dead letter and an unknown outcome each stand out", () => {
  const bad = tones({ ...quiet, workers_alive: 0, dead_letters: 1, unresolved: 1, runs_24h: { partial: 1 } });

  expect(bad).toMatchObject({ workers: "bad", letters: "bad", unknown: "odd", failed: "bad" });
});

test("the backlog tells its oldest age over all pools", () => {
  const backlog = [{ pool: "a", tasks: 2, oldest_seconds: 5 }, { pool: "b", tasks: 1, oldest_seconds: 75 }];

  expect(tilesOf({ ...quiet, backlog }).find(({ id }) => id === "backlog")).toMatchObject({ figure: "3", note: "oldest for 1 min 15 s" });
});
