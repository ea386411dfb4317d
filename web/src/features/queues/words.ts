/** Dead letters in the words of what people do here, not of the broker. Pure. */
import { legible } from "@/lib/text";
import type { StatusLook } from "@/ui/status";

import type { Letter, LetterGroup, LetterStatus } from "./api";
import type { QueuesSearch } from "./search";

export const LETTER_STATUS: Readonly<Record<LetterStatus, StatusLook>> = {
  open: { word: "Open", glyph: "!", tone: "bad", meaning: "Waits for a decision; what it is about stands still." },
  replayed: { word: "Replayed", glyph: "↻", tone: "ok", meaning: "Was sent again to where it came from." },
  discarded: { word: "Discarded", glyph: "⊘", tone: "off", meaning: "Was given up; what it was about ended as failed." },
};

const QUEUE_MEANINGS: Readonly<Record<string, string>> = {
  "orchestrator.start-run": "Runs that were asked for and wait to be laid out",
  "orchestrator.advance-run": "Runs that wait for their next steps to be released",
  "executor.execute-tasks": "Steps that may start now",
  "executor.test-connections": "Connection tests that wait for an executor",
  "caretaker.dead-letters": "Messages no worker could handle, on their way to the dead letters",
  "notifier.run-finished": "Ends of runs that people wait to hear of",
};

/** What waits in a queue, in a line; those of a pool say so. Null for one that is not known. */
export const queueWords = (name: string): string | null => {
  const known = QUEUE_MEANINGS[name];
  if (known !== undefined) return known;
  const [, stem = "", pool = ""] = /^(\w+\.[\w-]+)\.(.+)$/.exec(name) ?? [];
  const meaning = QUEUE_MEANINGS[stem];
  return meaning === undefined ? null : `${meaning}, in the pool ${pool}`;
};

const MESSAGES: Readonly<Record<string, string>> = {
  "runs.start-run": "Start a run",
  "runs.advance-run": "Go on with a run",
  "runs.execute-tasks": "Carry out steps",
  "runs.cancel-requested": "Cancel a run",
  "runs.runs-changed": "Tell that runs changed",
  "targets.test-connection": "Test a connection",
};

/** `Start a run` for `runs.start-run.v1`; a type that is not known stays as it is. */
export const messageWords = (wireType: string | null): string => {
  if (wireType === null) return "A message that cannot be read";
  return MESSAGES[wireType.replace(/\.v\d+.*$/, "")] ?? legible(wireType);
};

const REASONS: Readonly<Record<string, string>> = {
  rejected: "Refused by the worker that read it",
  delivery_limit: "Its worker ended again and again while handling it",
  maxlen: "The queue was full",
  expired: "It waited for too long",
};

export const errorWords = ({ last_error, first_error, reason }: Pick<Letter, "last_error" | "first_error" | "reason">): string =>
  legible(last_error ?? first_error ?? REASONS[reason] ?? reason);

export const reasonWords = (reason: string): string => REASONS[reason] ?? legible(reason);

const SUBJECTS: Readonly<Record<string, string>> = { run: "a run", task: "a step", connection_test: "a connection test" };

export const subjectWords = (kind: string | null): string => (kind === null ? "nothing" : (SUBJECTS[kind] ?? legible(kind)));

/** What names a group in the address. */
export const causeOf = ({ queue, pattern }: LetterGroup): string => `${queue} ${pattern}`.slice(0, 600);

/** Whether a letter is shown; `group` is the one that the address names, null when it is no longer there. */
export const fits = (letter: Letter, { queue, q, cause }: QueuesSearch, group: LetterGroup | undefined): boolean => {
  if (queue !== undefined && letter.queue !== queue) return false;
  if (cause !== undefined && !(group?.letter_ids.includes(letter.id) ?? false)) return false;
  if (q === undefined) return true;
  const text = [letter.queue, letter.wire_type, messageWords(letter.wire_type), errorWords(letter), letter.subject_id, letter.id].join(" ");
  return text.toLowerCase().includes(q.toLowerCase());
};
