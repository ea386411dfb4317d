/** Puts what the API refused beside the inputs it means. */
import { messageOf, Problem } from "@/lib/problem";

export interface FormProblems {
  /** What no input on this form stands for; shown above the buttons. */
  general: string | null;
  /** By the API's name of the field. */
  of: (field: string) => string | null;
}

export const NO_PROBLEMS: FormProblems = { general: null, of: () => null };

const fits = (field: string, name: string): boolean => field === name || field.startsWith(`${name}.`);

/** `known` are the fields that have an input; a problem below one (`winrm.port`) belongs to the closest. */
export const formProblems = (error: unknown, known: readonly string[]): FormProblems => {
  if (error === null || error === undefined) return NO_PROBLEMS;
  if (!(error instanceof Problem) || error.fields.length === 0) return { general: messageOf(error), of: () => null };
  const byField = new Map<string, string[]>();
  const homeless: string[] = [];
  for (const { field, reason, line } of error.fields) {
    const home = known.filter((name) => fits(field, name)).sort((a, b) => b.length - a.length)[0];
    const words = line === undefined ? reason : `line ${line}: ${reason}`;
    if (home === undefined) homeless.push(field === "" ? words : `${field}: ${words}`);
    else byField.set(home, [...(byField.get(home) ?? []), words]);
  }
  return {
    general: homeless.length > 0 ? homeless.join("\n") : null,
    of: (field) => byField.get(field)?.join("\n") ?? null,
  };
};
