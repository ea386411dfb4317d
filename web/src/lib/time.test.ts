import { expect, test } from "vitest";

import { absolute, duration, relative } from "./time";

test.each([
  [820, "0.8 s"], [43_400, "43 s"], [461_000, "7 min 41 s"], [7_500_000, "2 h 05 min"], [273_600_000, "3 d 4 h"], [-5, "0.0 s"],
])("%d ms read as %s", (ms, words) => expect(duration(ms)).toBe(words));

test.each([[2, "just now"], [12, "12 s ago"], [300, "5 min ago"], [-600, "in 10 min"], [90_000, "1 d ago"]])(
  "%d s before now read as %s",
  (seconds, words) => {
    const now = Date.parse("2026-11-22T15:00:00Z");
    expect(relative(new Date(now - seconds * 1_000).toISOString(), now)).toBe(words);
  },
);

test("a moment in UTC keeps its digits", () => expect(absolute("2026-11-22T15:00:07.123Z", "utc")).toBe("2026-11-22 15:00:07"));
