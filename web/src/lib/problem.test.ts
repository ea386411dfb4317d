import { expect, test } from "vitest";

import { messageOf } from "./problem";

test.each([
  "Unable to preload CSS for /assets/run-page-1a2b.css",
  "Failed to fetch dynamically imported module: https://ops.example/assets/run-page.js",
  "error loading dynamically imported module",
  "Importing a module script failed.",
])("a room whose program cannot be fetched says so in a person's words: %s", (said) => {
  expect(messageOf(new TypeError(said))).toContain("cannot be reached");
});

test("any other error keeps its own words", () => {
  expect(messageOf(new Error("The job is gone."))).toBe("The job is gone.");
});
