import { expect, test } from "vitest";

import { legible, pretty } from "@/lib/text";

import type { Letter, LetterGroup } from "./api";
import { causeOf, fits, messageWords, queueWords } from "./words";

const letter = { id: "1", queue: "orchestrator.start-run", wire_type: "runs.start-run.v1", last_error: "boom 7", first_error: null, reason: "rejected", subject_id: null } as Letter;
const group = { queue: letter.queue, pattern: "boom #", letter_ids: ["1"] } as LetterGroup;

test("messages are told in words, whatever their pool and version; what is not known stays as it is", () => {
  expect(messageWords("runs.execute-tasks.v1.dmz")).toBe("Carry out steps");
  expect(messageWords("new.thing.v9")).toBe("new.thing.v9");
  expect(messageWords(null)).toBe("A message that cannot be read");
});

test("a letter is found by what it says, by its queue, and by its group", () => {
  expect(fits(letter, { q: "START A RUN" }, undefined)).toBe(true);
  expect(fits(letter, { q: "else" }, undefined)).toBe(false);
  expect(fits(letter, { queue: "other" }, undefined)).toBe(false);
  expect(fits(letter, { cause: causeOf(group) }, group)).toBe(true);
  expect(fits(letter, { cause: "gone" }, undefined)).toBe(false);
});

test("hidden and turning signs are written out", () => {
  expect(legible("exe\u202Egpj.ok\u001b[31m")).toBe("exe\\u202egpj.ok\\u001b[31m");
  expect(legible("plain é 日本\n")).toBe("plain é 日本\n");
  expect(pretty('{"a":1}')).toBe('{\n  "a": 1\n}');
  expect(pretty("{not json")).toBe("{not json");
});

test("a queue says in plain words what waits in it, one of a pool also in which", () => {
  expect(queueWords("orchestrator.start-run")).toBe("Runs that were asked for and wait to be laid out");
  expect(queueWords("executor.execute-tasks.dmz")).toBe("Steps that may start now, in the pool dmz");
  expect(queueWords("somebody.else")).toBeNull();
});
