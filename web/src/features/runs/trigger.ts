import type { Schemas } from "@/api/client";

/** What made a run begin. The record is total: a trigger that is added to the API does not compile without it. */
export const TRIGGER: Readonly<Record<Schemas["RunTrigger"], { word: string; meaning: string }>> = {
  manual: { word: "by hand", meaning: "Somebody started it, in this client or on the command line." },
  api: { word: "API", meaning: "A program started it over the API." },
  rerun: { word: "re-run", meaning: "It repeats an earlier run, or a part of it." },
  schedule: { word: "schedule", meaning: "A schedule started it." },
  webhook: { word: "webhook", meaning: "A webhook started it." },
};

/** `re-run by ann`, `started by ann`. */
export const startedBy = ({ trigger, requested_by, requested_by_name }: { trigger: Schemas["RunTrigger"]; requested_by: string; requested_by_name: string | null }): string =>
  `${trigger === "manual" ? "started" : TRIGGER[trigger].word} by ${requested_by_name ?? requested_by}`;
