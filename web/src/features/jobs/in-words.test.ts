import { expect, test } from "vitest";

import { stepInWords, targetsInWords } from "./in-words";

test.each([
  ["web-1", "web-1"], [["a", "b"], "a, b"], [["a", "b", "c", "d", "e"], "a, b, c and 2 more"], [{ query: "os:linux" }, "whatever fits os:linux"], [[], null], [undefined, null], [7, null],
])("targets %j are %s", (targets, words) => expect(targetsInWords(targets)).toBe(words));

test("a step says what it does where and how", () => {
  expect(stepInWords({ type: "winrm.exec", command: "dir", target: "web-1", timeoutSec: 90, retry: { attempts: 3 } }, 0, [])).toEqual({
    name: "step-1", type: "winrm.exec", what: "Run PowerShell on web-1", how: "at most 90 s · 3 attempts", script: "dir",
  });
  expect(stepInWords({ type: "wait", seconds: 5, name: "rest" }, 1, "x").what).toBe("Wait 5 s");
});

test("a type nobody has written words for is still told, and nonsense does not throw", () => {
  expect(stepInWords({ type: "later.step" }, 0, ["x"]).what).toBe("Do later.step on x");
  expect(stepInWords(null, 0, null).type).toBe("step without a type");
});
