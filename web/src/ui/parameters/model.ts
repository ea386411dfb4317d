/** What a job asks for, and what a person has filled in for it. Pure. */

export type Choice = string | number | boolean;

export interface Parameter {
  name: string;
  /** `string`, `integer`, `number`, `boolean`, `date`, `target`, `file`, `secret`, `multi`, `credential`, or whatever the API knows besides. */
  type: string;
  description: string | null;
  required: boolean;
  default: Choice | readonly string[] | null;
  choices: readonly Choice[] | null;
  /** The parameter whose value decides which choices there are, and the choices for each of its values. */
  dependsOn: string | null;
  choicesFor: Readonly<Record<string, readonly Choice[]>> | null;
  /** " while site is berlin": what the choices follow just now. */
  because: string;
  minItems: number | null;
  maxItems: number | null;
  pattern: string | null;
  minimum: number | null;
  maximum: number | null;
}

/** What stands in one input. */
export type Filling = string | boolean | readonly string[];

/** What stands in the inputs, by name. */
export type Filled = Readonly<Record<string, Filling>>;

type Loose = Readonly<Record<string, unknown>>;

const isMap = (value: unknown): value is Loose => typeof value === "object" && value !== null && !Array.isArray(value);
const textOf = (value: unknown): string | null => (typeof value === "string" ? value : null);
const numberOf = (value: unknown): number | null => (typeof value === "number" ? value : null);
const isFlat = (value: unknown): value is Choice => ["string", "number", "boolean"].includes(typeof value);
export const isList = (value: unknown): value is readonly string[] => Array.isArray(value) && value.every((item) => typeof item === "string");
const choicesIn = (value: unknown): readonly Choice[] | null => (Array.isArray(value) ? (value as unknown[]).filter(isFlat) : null);

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
    default: isFlat(spec.default) || isList(spec.default) ? spec.default : null,
    choices: choicesIn(spec.choices),
    dependsOn: textOf(spec.depends_on),
    choicesFor: isMap(spec.choices_for) ? Object.fromEntries(Object.entries(spec.choices_for).map(([value, of]) => [value, choicesIn(of) ?? []])) : null,
    because: "",
    minItems: numberOf(spec.min_items),
    maxItems: numberOf(spec.max_items),
    pattern: textOf(spec.pattern),
    minimum: numberOf(spec.minimum),
    maximum: numberOf(spec.maximum),
  };
};

export const parametersOf = (definition: Loose): Parameter[] =>
  isMap(definition.parameters) ? Object.entries(definition.parameters).map(([name, written]) => parameterOf(name, written)) : [];

/** The same parameters with the choices that there are while the others have these values. */
export const narrowed = (parameters: readonly Parameter[], filled: Filled): Parameter[] =>
  parameters.map((parameter) => {
    const { dependsOn, choicesFor } = parameter;
    if (dependsOn === null || choicesFor === null) return parameter;
    const other = String(filled[dependsOn] ?? "");
    const because = other === "" ? "" : ` while ${dependsOn} is ${other}`;
    return { ...parameter, choices: choicesFor[other] ?? [], because };
  });

const begin = (parameter: Parameter, value: unknown): Filling => {
  if (parameter.type === "multi") return isList(value) ? value : [];
  if (parameter.type === "boolean" && !parameter.choices) return value === true;
  return isFlat(value) ? String(value) : "";
};

const opening = (parameter: Parameter, kept: unknown): Filling => {
  const fits = (value: unknown): boolean => refusalOf({ ...parameter, required: false }, begin(parameter, value)) === null;
  const isKept = parameter.type !== "secret" && (isFlat(kept) || isList(kept)) && fits(kept);
  const usable = isKept ? kept : parameter.dependsOn === null || fits(parameter.default) ? parameter.default : null;
  return begin(parameter, usable);
};

/** Names so that each stands behind the one it depends on; who depends on himself stays where he is. */
const othersFirst = (parameters: readonly Parameter[]): Parameter[] => {
  const done = new Map<string, Parameter>();
  const add = (parameter: Parameter, above: readonly string[]): void => {
    if (done.has(parameter.name) || above.includes(parameter.name)) return;
    const other = parameters.find(({ name }) => name === parameter.dependsOn);
    if (other) add(other, [...above, parameter.name]);
    done.set(parameter.name, parameter);
  };
  for (const parameter of parameters) add(parameter, []);
  return [...done.values()];
};

/** Inputs as they open: the values of the last run where they still are of use, otherwise the defaults. */
export const begun = (parameters: readonly Parameter[], last: Loose | null = null): Filled => {
  const filled: Record<string, Filling> = {};
  for (const parameter of othersFirst(parameters)) {
    const [now] = narrowed([parameter], filled);
    if (now) filled[parameter.name] = opening(now, last?.[parameter.name]);
  }
  return Object.fromEntries(parameters.map(({ name }) => [name, filled[name] ?? ""]));
};

/** The inputs after one was changed: what followed its old value and is no choice any more starts anew. */
export const filledWith = (parameters: readonly Parameter[], filled: Filled, name: string, value: Filling): Filled => {
  const next: Record<string, Filling> = { ...filled, [name]: value };
  const changed = new Set([name]);
  for (const parameter of othersFirst(parameters)) {
    if (parameter.dependsOn === null || !changed.has(parameter.dependsOn)) continue;
    const [now] = narrowed([parameter], next);
    const before = next[parameter.name];
    const kept = isList(before) ? before.filter((item) => now?.choices?.includes(item)) : before;
    if (now) next[parameter.name] = opening(now, kept === "" ? undefined : kept);
    changed.add(parameter.name);
  }
  return next;
};

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

const inChoices = (count: number): string => (count === 1 ? "one choice" : `${count} choices`);

const listRefusal = ({ required, choices, because, minItems, maxItems }: Parameter, items: readonly string[]): string | null => {
  if (items.length === 0 && required) return "is required";
  const strange = items.find((item) => !choices?.includes(item));
  if (strange !== undefined) return `${strange} is not a choice; it must be one of ${(choices ?? []).join(", ")}${because}`;
  if (minItems !== null && items.length < minItems) return `needs at least ${inChoices(minItems)}`;
  if (maxItems !== null && items.length > maxItems) return `may have at most ${inChoices(maxItems)}`;
  return null;
};

/** Why this cannot be sent as it stands; null when it can. The server has the last word. */
export const refusalOf = (parameter: Parameter, filled: Filling | undefined): string | null => {
  if (typeof filled === "boolean") return null;
  if (parameter.type === "multi") return listRefusal(parameter, isList(filled) ? filled : []);
  const text = typeof filled === "string" ? filled : "";
  if (text === "") return parameter.required ? "is required" : null;
  if (parameter.choices) {
    if (parameter.choices.some((choice) => String(choice) === text)) return null;
    return parameter.choices.length === 0 ? `has no choices${parameter.because}` : `must be one of ${parameter.choices.join(", ")}${parameter.because}`;
  }
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

export type Sent = Choice | readonly string[];

const valueOf = (parameter: Parameter, filled: Filling | undefined): Sent | undefined => {
  if (filled === undefined || typeof filled === "boolean" || isList(filled)) return filled;
  const chosen = parameter.choices?.find((choice) => String(choice) === filled);
  if (chosen !== undefined) return chosen;
  if (filled === "") return parameter.type === "string" && parameter.default !== null && !parameter.choices ? "" : undefined;
  return isNumeric(parameter) && Number.isFinite(Number(filled)) ? Number(filled) : filled;
};

/** What is sent: typed as declared. An empty input is left out, so that the default holds, unless it overrides a text. */
export const valuesOf = (parameters: readonly Parameter[], filled: Filled): Record<string, Sent> =>
  Object.fromEntries(
    parameters.flatMap((parameter) => {
      const value = valueOf(parameter, filled[parameter.name]);
      return value === undefined ? [] : [[parameter.name, value]];
    }),
  );

/** A value as people read it. */
export const inWords = (value: unknown): string => (Array.isArray(value) ? value.map(String).join(", ") : String(value));

/** Credentials go by their names where people choose: the run holds their ids. */
export const namedIn = (parameters: readonly Parameter[], names: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(parameters.flatMap(({ name, type }) => (type === "credential" && names[name] !== undefined ? [[name, names[name]]] : [])));
