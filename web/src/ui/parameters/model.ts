/** What a job asks for, and what a person has filled in for it. Pure. */

export interface Parameter {
  name: string;
  /** `string`, `integer`, `number`, `boolean`, `date`, `target`, `file`, `secret`, or whatever the API knows besides. */
  type: string;
  description: string | null;
  required: boolean;
  default: string | number | boolean | null;
  choices: readonly (string | number | boolean)[] | null;
  pattern: string | null;
  minimum: number | null;
  maximum: number | null;
}

/** What stands in the inputs, by name. */
export type Filled = Readonly<Record<string, string | boolean>>;

type Loose = Readonly<Record<string, unknown>>;

const isMap = (value: unknown): value is Loose => typeof value === "object" && value !== null && !Array.isArray(value);
const textOf = (value: unknown): string | null => (typeof value === "string" ? value : null);
const numberOf = (value: unknown): number | null => (typeof value === "number" ? value : null);
const isFlat = (value: unknown): value is string | number | boolean => ["string", "number", "boolean"].includes(typeof value);
const flatOf = (value: unknown): string | number | boolean | null => (isFlat(value) ? value : null);

/** `svc: Spooler` says the default alone; the type is that of the value. */
const typeOfPlain = (value: unknown): string =>
  typeof value === "boolean" ? "boolean" : typeof value === "number" ? (Number.isInteger(value) ? "integer" : "number") : "string";

export const parameterOf = (name: string, written: unknown): Parameter => {
  const spec: Loose = isMap(written) ? written : { type: typeOfPlain(written), default: written };
  return {
    name,
    type: textOf(spec.type) ?? "string",
    description: textOf(spec.description),
    required: spec.required === true,
    default: flatOf(spec.default),
    choices: Array.isArray(spec.choices) ? (spec.choices as unknown[]).filter(isFlat) : null,
    pattern: textOf(spec.pattern),
    minimum: numberOf(spec.minimum),
    maximum: numberOf(spec.maximum),
  };
};

export const parametersOf = (definition: Loose): Parameter[] =>
  isMap(definition.parameters) ? Object.entries(definition.parameters).map(([name, written]) => parameterOf(name, written)) : [];

const begin = (parameter: Parameter, value: unknown): string | boolean => {
  if (parameter.type === "boolean" && !parameter.choices) return value === true;
  return isFlat(value) ? String(value) : "";
};

/** Inputs as they open: the values of the last run where they still are of use, otherwise the defaults. */
export const begun = (parameters: readonly Parameter[], last: Loose | null = null): Filled =>
  Object.fromEntries(
    parameters.map((parameter) => {
      const kept = last?.[parameter.name];
      const value = parameter.type !== "secret" && isFlat(kept) && refusalOf(parameter, begin(parameter, kept)) === null ? kept : parameter.default;
      return [parameter.name, begin(parameter, value)];
    }),
  );

const isNumeric = (parameter: Parameter): boolean => parameter.type === "integer" || parameter.type === "number";

const wholeMatch = (pattern: string, text: string): boolean => {
  try {
    return new RegExp(`^(?:${pattern})$`, "u").test(text);
  } catch {
    return true; // written for the server's dialect: it will say
  }
};

const rangeRefusal = ({ type, minimum, maximum }: Parameter, text: string): string | null => {
  const value = Number(text);
  if (!Number.isFinite(value)) return "must be a number";
  if (type === "integer" && !/^[+-]?\d+$/.test(text.trim())) return "must be a whole number";
  if (minimum !== null && value < minimum) return `must be at least ${minimum}`;
  if (maximum !== null && value > maximum) return `must be at most ${maximum}`;
  return null;
};

const DATE = /^\d{4}-\d{2}-\d{2}$/;
const ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const isDate = (text: string): boolean => {
  const at = new Date(`${text}T00:00:00Z`);
  return DATE.test(text) && !Number.isNaN(at.getTime()) && at.toISOString().startsWith(text);
};

const shapeRefusal = (type: string, text: string): string | null => {
  if (type === "date" && !isDate(text)) return "must be a date, as 2026-03-31";
  if (type === "file" && !ID.test(text)) return "must be the id of a stored file";
  return null;
};

/** Why this cannot be sent as it stands; null when it can. The server has the last word. */
export const refusalOf = (parameter: Parameter, filled: string | boolean | undefined): string | null => {
  if (typeof filled === "boolean") return null;
  const text = filled ?? "";
  if (text === "") return parameter.required ? "is required" : null;
  if (parameter.choices) return parameter.choices.some((choice) => String(choice) === text) ? null : `must be one of ${parameter.choices.join(", ")}`;
  if (isNumeric(parameter)) return rangeRefusal(parameter, text);
  if (parameter.pattern !== null && !wholeMatch(parameter.pattern, text)) return `must match ${parameter.pattern}`;
  return shapeRefusal(parameter.type, text);
};

export const refusalsOf = (parameters: readonly Parameter[], filled: Filled): Readonly<Record<string, string>> =>
  Object.fromEntries(
    parameters.flatMap((parameter) => {
      const reason = refusalOf(parameter, filled[parameter.name]);
      return reason === null ? [] : [[parameter.name, reason]];
    }),
  );

const valueOf = (parameter: Parameter, filled: string | boolean | undefined): string | number | boolean | undefined => {
  if (typeof filled === "boolean") return filled;
  if (filled === undefined) return undefined;
  const chosen = parameter.choices?.find((choice) => String(choice) === filled);
  if (chosen !== undefined) return chosen;
  if (filled === "") return parameter.type === "string" && parameter.default !== null && !parameter.choices ? "" : undefined;
  return isNumeric(parameter) && Number.isFinite(Number(filled)) ? Number(filled) : filled;
};

/** What is sent: typed as declared. An empty input is left out, so that the default holds, unless it overrides a text. */
export const valuesOf = (parameters: readonly Parameter[], filled: Filled): Record<string, string | number | boolean> =>
  Object.fromEntries(
    parameters.flatMap((parameter) => {
      const value = valueOf(parameter, filled[parameter.name]);
      return value === undefined ? [] : [[parameter.name, value]];
    }),
  );
