/** Values of a run's parameters: as text, and what a form says of them. Pure. */
import { type Filled, isList, type Parameter, valuesOf } from "@/ui/parameters/model";

export type Values = Readonly<Record<string, unknown>>;

/** Text as it is, lists by their items, everything else as JSON. */
export const textOf = (value: unknown): string => {
  if (typeof value === "string") return value;
  if (isList(value)) return value.join(", ");
  return value === undefined ? "" : JSON.stringify(value);
};

const MAY_BE_EMPTY: ReadonlySet<string> = new Set(["string", "date", "target", "file", "credential"]);

/** What a run that is repeated has to be given so that it runs with what was filled in: what is not named stays. */
export const changesOf = (parameters: readonly Parameter[], filled: Filled, before: Values): Record<string, unknown> => {
  const values: Values = valuesOf(parameters, filled);
  const changes: Record<string, unknown> = {};
  for (const { name, type } of parameters) {
    const emptied = filled[name] === "" && MAY_BE_EMPTY.has(type) ? "" : undefined;
    const value = values[name] ?? emptied;
    if (value !== undefined && JSON.stringify(value) !== JSON.stringify(before[name])) changes[name] = value;
  }
  return changes;
};
