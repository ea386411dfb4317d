import { expect, test } from "vitest";

import { Problem } from "@/lib/problem";

import { formProblems } from "./problems";

const refused = (...fields: { field: string; reason: string; line?: number }[]) => new Problem(422, "invalid", "The request is not valid.", fields);

test("each reason stands at the input it means, the closest one for a field inside it", () => {
  const problems = formProblems(refused({ field: "winrm.port", reason: "too large" }, { field: "name", reason: "is taken" }), ["name", "winrm", "winrm.port"]);
  expect(problems.of("winrm.port")).toBe("too large");
  expect(problems.of("winrm")).toBeNull();
  expect(problems.of("name")).toBe("is taken");
  expect(problems.general).toBeNull();
});

test("what no input stands for is not swallowed", () => {
  expect(formProblems(refused({ field: "pool", reason: "unknown", line: 3 }), ["name"]).general).toBe("pool: line 3: unknown");
});

test("a refusal without fields is told whole", () => {
  expect(formProblems(new Problem(503, "unavailable", "The database is away."), ["name"]).general).toBe("The database is away.");
});
