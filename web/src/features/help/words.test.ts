import { expect, test } from "vitest";

import type { CauseHelp } from "./api";
import { found, grouped, parts, placeOf } from "./words";

const cause = (code: string, group: string, title: string): CauseHelp => ({
  code, group, title, message: "It says so.", why: "Because of the firewall.", steps: ["Look."], settings: [], retry: "safe", retry_words: "Yes.",
});
const CAUSES = [cause("unreachable", "Reaching", "Nothing answers"), cause("auth_rejected", "Admission", "The login was rejected"), cause("not_ssh", "Reaching", "Something else answers")];

test("a cause is found by words of its name, title and explanation, all of them", () => {
  expect(found(CAUSES, "  ANSWERS reach ").map(({ code }) => code)).toEqual(["unreachable"]);
  expect(found(CAUSES, "firewall").length).toBe(3);
  expect(found(CAUSES, "nothing login")).toEqual([]);
});

test("groups stay in the order of their first cause", () => {
  expect(grouped(CAUSES).map(([group, inside]) => [group, inside.length])).toEqual([["Reaching", 2], ["Admission", 1]]);
});

test("a setting tells whose it is", () => {
  expect(["step.timeoutSec", "target.winrm.port", "OPS_SLOTS"].map(placeOf)).toEqual([
    { name: "timeoutSec", of: "of the step" }, { name: "winrm.port", of: "of the target" }, { name: "OPS_SLOTS", of: "of the system" },
  ]);
});

test("what stands between backticks is code", () => {
  expect(parts("Run `klist` there.")).toEqual([{ text: "Run ", code: false }, { text: "klist", code: true }, { text: " there.", code: false }]);
});
