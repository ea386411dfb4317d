import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";

import { previewQuery, type TargetsPreview, validateText } from "@/features/jobs/api";
import { type Definition, read, type Reading } from "./document";
import { type EditorProblem, schemaProblems, serverProblems } from "./problems";
import type { Schema } from "./schema";

const PAUSE_MS = 450;

export interface Checks {
  reading: Reading;
  /** What the text said when it could last be read. */
  definition: Definition;
  problems: readonly EditorProblem[];
  state: "checking" | "checked" | "unchecked";
  preview: TargetsPreview | null;
}

/** What is wrong with the text: at once by the schema, after a pause in typing by the server. */
export const useChecks = (text: string, schema: Schema): Checks => {
  const reading = useMemo(() => read(text), [text]);
  const [last, setLast] = useState<Definition>(reading.definition ?? {});
  if (reading.definition !== null && reading.definition !== last) setLast(reading.definition);
  const quick = useMemo(() => schemaProblems(schema, reading), [schema, reading]);

  const [paused] = useDebouncedValue(text, PAUSE_MS);
  const asked = useQuery({
    queryKey: ["jobs", "validate", paused], queryFn: ({ signal }) => validateText(paused, signal), retry: false, staleTime: 30_000, gcTime: 60_000,
  });
  const answer = paused === text ? asked.data : undefined;
  const problems = useMemo(() => (answer && reading.mistakes.length === 0 ? serverProblems(reading, answer.problems) : quick), [answer, quick, reading]);
  const isFit = answer?.valid === true && reading.definition !== null;
  const preview = useQuery({ ...previewQuery(reading.definition ?? {}, null), enabled: isFit });
  return {
    reading, definition: last, problems,
    state: answer ? "checked" : asked.isError && paused === text ? "unchecked" : "checking",
    preview: isFit ? (preview.data ?? null) : null,
  };
};
