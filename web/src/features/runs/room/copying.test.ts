import { expect, test } from "vitest";

import { copiesOf } from "./copying";

const RUN = { id: "0198-run", correlation_id: "0198-correlation" };
const ADDRESS = "https://ops.example/runs/0198-run?t=web-1#L4";
const texts = (part: { t?: string; s?: string }) => Object.fromEntries(copiesOf(RUN, part, ADDRESS).flat().map(({ label, text }) => [label, text]));

test("what is copied leads to what is shown", () => {
  expect(texts({})).toMatchObject({ "Link to what is shown": ADDRESS, "Run id": "0198-run", "Command line: show the log": "opsconductor runs log 0198-run" });
  expect(texts({ t: "web-1", s: "look at it" })["Command line: show this log"]).toBe("opsconductor runs log 0198-run -t web-1 -s 'look at it'");
});

test("the calls that repeat a run name its origin and no parameter", () => {
  expect(texts({})["curl: run it again"]).toContain("curl -X POST https://ops.example/api/v1/runs/0198-run/rerun \\\n");
});
