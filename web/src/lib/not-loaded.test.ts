import { beforeEach, expect, test } from "vitest";

import { arriving, mayReload, NotLoaded } from "./not-loaded";

beforeEach(() => sessionStorage.clear());

const gone = (): Promise<never> => Promise.reject(new TypeError("Failed to fetch dynamically imported module: /assets/old.js"));

test("a part that could not be fetched is told in words for people", async () => {
  const failed = await arriving("RunsPage", gone).catch((error: unknown) => error);

  expect(failed).toBeInstanceOf(NotLoaded);
  expect((failed as NotLoaded).message).toMatch(/could not be loaded/);
  expect((failed as NotLoaded).message).not.toContain("dynamically");
});

test("the page is reloaded once for a missing part, never in a loop", () => {
  expect([mayReload("RunsPage"), mayReload("RunsPage"), mayReload("JobsPage")]).toEqual([true, false, true]);
});

test("a part that arrived may be reloaded for once more, and another's arrival changes nothing", async () => {
  mayReload("RunsPage");
  await arriving("ShellLayout", () => Promise.resolve("there"));
  expect(mayReload("RunsPage")).toBe(false);

  await arriving("RunsPage", () => Promise.resolve("there"));

  expect(mayReload("RunsPage")).toBe(true);
});

test("without a place to remember it, nothing is reloaded unasked", () => {
  const storage = Object.getOwnPropertyDescriptor(window, "sessionStorage");
  Object.defineProperty(window, "sessionStorage", { configurable: true, get: () => { throw new DOMException("denied"); } });
  try {
    expect(mayReload("RunsPage")).toBe(false);
  } finally {
    if (storage) Object.defineProperty(window, "sessionStorage", storage);
  }
});
