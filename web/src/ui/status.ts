/**
 * Word, glyph and colour of every status, in one place. The maps are total: a status that is added to the API
 * does not compile until it stands here.
 */
import type { Schemas } from "@/api/client";
import type { LiveState } from "@/api/live";

export type RunStatus = Schemas["RunStatus"];
export type TaskState = Schemas["TaskState"];
export type TestStatus = Schemas["ConnectionTestStatus"];
export type StageStatus = Schemas["StageReport"]["status"];

/** Names of colours in tokens.css: `--tone-<tone>-ink`, `-fill`, `-soft`. */
export type Tone = "ok" | "bad" | "warn" | "busy" | "wait" | "off" | "odd";

export interface StatusLook {
  word: string;
  glyph: string;
  tone: Tone;
  /** What it means, for tooltips. */
  meaning: string;
}

export const RUN_STATUS: Readonly<Record<RunStatus, StatusLook>> = {
  requested: { word: "Queued", glyph: "◷", tone: "wait", meaning: "Accepted; the orchestrator has not planned it yet." },
  waiting: { word: "Waiting", glyph: "◷", tone: "wait", meaning: "Held back until something else is done." },
  running: { word: "Running", glyph: "◐", tone: "busy", meaning: "Steps are being carried out." },
  paused: { word: "Paused", glyph: "‖", tone: "wait", meaning: "Nothing new is started until somebody resumes it." },
  cancelling: { word: "Cancelling", glyph: "◌", tone: "warn", meaning: "Commands are being stopped on their targets." },
  succeeded: { word: "Succeeded", glyph: "✓", tone: "ok", meaning: "Every step succeeded." },
  partial: { word: "Partial", glyph: "◑", tone: "warn", meaning: "Some steps failed that were allowed to." },
  failed: { word: "Failed", glyph: "✕", tone: "bad", meaning: "At least one step failed." },
  cancelled: { word: "Cancelled", glyph: "⊘", tone: "off", meaning: "Stopped by somebody." },
  unknown: { word: "Unknown", glyph: "?", tone: "odd", meaning: "Nobody knows how it ended: look at the target, then say what you found." },
};

export const TASK_STATE: Readonly<Record<TaskState, StatusLook>> = {
  pending: { word: "Pending", glyph: "·", tone: "off", meaning: "Its turn has not come." },
  ready: { word: "Ready", glyph: "◷", tone: "wait", meaning: "Waits for a free executor." },
  running: { word: "Running", glyph: "◐", tone: "busy", meaning: "Is being carried out." },
  succeeded: { word: "Succeeded", glyph: "✓", tone: "ok", meaning: "Ended as it should." },
  failed: { word: "Failed", glyph: "✕", tone: "bad", meaning: "Ended with an error." },
  timed_out: { word: "Timed out", glyph: "⧖", tone: "bad", meaning: "Took longer than allowed and was stopped." },
  cancelled: { word: "Cancelled", glyph: "⊘", tone: "off", meaning: "Stopped by somebody." },
  skipped: { word: "Skipped", glyph: "–", tone: "off", meaning: "Not needed, or given up after an earlier failure." },
  unknown: { word: "Unknown", glyph: "?", tone: "odd", meaning: "Nobody knows how it ended: look at the target, then say what you found." },
};

export const TEST_STATUS: Readonly<Record<TestStatus, StatusLook>> = {
  requested: { word: "Queued", glyph: "◷", tone: "wait", meaning: "Waits for an executor of the target's pool." },
  running: { word: "Testing", glyph: "◐", tone: "busy", meaning: "An executor is trying the connection." },
  succeeded: { word: "Reachable", glyph: "✓", tone: "ok", meaning: "Every stage passed, up to a command on the machine." },
  failed: { word: "Failed", glyph: "✕", tone: "bad", meaning: "One stage failed; the test says which, and what to do." },
};

export const NEVER_TESTED: StatusLook = { word: "Never tested", glyph: "○", tone: "off", meaning: "Nobody has tried the connection yet." };

export const STAGE_STATUS: Readonly<Record<StageStatus, StatusLook>> = {
  ok: { word: "Passed", glyph: "✓", tone: "ok", meaning: "This stage went well." },
  failed: { word: "Failed", glyph: "✕", tone: "bad", meaning: "The test ended here." },
  skipped: { word: "Skipped", glyph: "–", tone: "off", meaning: "Not tried: it is not needed here, or an earlier stage failed." },
};

export const ON_HOLD: StatusLook = { word: "On hold", glyph: "‖", tone: "bad", meaning: "It was rejected and is not tried again before somebody releases or rotates it." };
export const PARTLY_HELD: StatusLook = { word: "Held on some", glyph: "‖", tone: "warn", meaning: "Some targets rejected it; it is not tried there. Other targets go on." };
export const IN_ORDER: StatusLook = { word: "In order", glyph: "✓", tone: "ok", meaning: "No target has rejected this version." };

export const LIVE_STATE: Readonly<Record<LiveState, StatusLook>> = {
  idle: { word: "Not live", glyph: "○", tone: "off", meaning: "This page shows nothing that changes by itself." },
  connecting: { word: "Connecting", glyph: "◌", tone: "wait", meaning: "Opening the event stream." },
  live: { word: "Live", glyph: "●", tone: "ok", meaning: "Changes are shown as they happen." },
  reconnecting: { word: "Reconnecting", glyph: "◌", tone: "warn", meaning: "The event stream broke off. Until it is back, this page asks every few seconds." },
  delayed: { word: "Delayed", glyph: "◑", tone: "warn", meaning: "The server sees events late. Until it catches up, this page asks every few seconds." },
  ended: { word: "Ended", glyph: "■", tone: "off", meaning: "What you watch has ended; nothing more will come." },
};
