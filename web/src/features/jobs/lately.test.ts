import { expect, test } from "vitest";

import { seconds, successOf } from "./lately";

const lately = (ended: number, succeeded: number) => ({
  runs: [], ended, succeeded, success_rate: ended === 0 ? null : succeeded / ended, p50_seconds: null, p95_seconds: null,
});

test.each([[0, 0, "–"], [1000, 999, "99 %"], [1000, 1, "1 %"], [3, 2, "67 %"], [5, 5, "100 %"], [5, 0, "0 %"]])(
  "of %d ended runs %d succeeded: %s",
  (ended, succeeded, words) => expect(successOf(lately(ended, succeeded))).toBe(words),
);

test("what has not been measured is a dash", () => expect([seconds(null), seconds(1.26)]).toEqual(["–", "1.3 s"]));
