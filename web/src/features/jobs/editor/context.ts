/** What every part of the form works on. */
import type { Completion } from "@codemirror/autocomplete";
import { createContext, use } from "react";

import type { TargetsPreview } from "@/features/jobs/api";
import { type Definition, edit, type Path, partOf, type Value } from "./document";
import { type EditorProblem, problemsAt } from "./problems";
import type { Schema, StepType } from "./schema";

export interface Editing {
  text: string;
  definition: Definition;
  schema: Schema;
  types: readonly StepType[];
  problems: readonly EditorProblem[];
  completions: readonly Completion[];
  preview: TargetsPreview | null;
  /** `where` names what is changed, so that one go of typing is one step back. */
  write: (text: string, where: string) => void;
  undo: () => void;
  redo: () => void;
}

export const EditingContext = createContext<Editing | null>(null);

export const useEditing = (): Editing => {
  const editing = use(EditingContext);
  if (!editing) throw new Error("Parts of the form stand inside an EditingContext.");
  return editing;
};

export interface Part {
  value: Value | undefined;
  /** `undefined` takes it out of the document. */
  set: (value: Value | undefined) => void;
  /** What is wrong with it or inside it. */
  error: string | null;
}

/** One value of the document, as inputs use it. */
export const usePart = (path: Path): Part => {
  const { definition, text, write, problems } = useEditing();
  const where = path.join(".");
  return {
    value: partOf(definition, path),
    set: (value) => write(edit(text, path, value), where),
    error: problemsAt(problems, where),
  };
};
