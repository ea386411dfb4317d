/** What the published schema of a job says, in the words a form needs. New step types and fields appear by themselves. Pure. */
import type { Value } from "./document";

export interface Schema {
  $ref?: string;
  type?: string | readonly string[];
  const?: Value;
  enum?: readonly Value[];
  default?: Value;
  description?: string;
  properties?: Readonly<Record<string, Schema>>;
  patternProperties?: Readonly<Record<string, Schema>>;
  additionalProperties?: Schema | boolean;
  required?: readonly string[];
  items?: Schema;
  anyOf?: readonly Schema[];
  oneOf?: readonly Schema[];
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  maxLength?: number;
  pattern?: string;
  discriminator?: { mapping?: Readonly<Record<string, string>> };
  $defs?: Readonly<Record<string, Schema>>;
}

export type Kind = "text" | "long" | "number" | "boolean" | "enum" | "texts" | "numbers" | "map" | "group" | "targets" | "free";

export interface Field {
  name: string;
  kind: Kind;
  required: boolean;
  /** The schema without the possibility to be null. */
  schema: Schema;
  default: Value | undefined;
  description: string | null;
  choices: readonly string[];
  /** Of a group. */
  fields: readonly Field[];
}

export interface StepType {
  type: string;
  description: string;
  fields: readonly Field[];
}

export const resolved = (root: Schema, schema: Schema): Schema => {
  const name = schema.$ref?.replace("#/$defs/", "");
  if (name === undefined) return schema;
  const beside = Object.fromEntries(Object.entries(schema).filter(([key]) => key !== "$ref"));
  return { ...(root.$defs?.[name] ?? {}), ...beside };
};

const isTargets = (schema: Schema): boolean =>
  [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].some((one) => one.$ref?.endsWith("/TargetQuery") === true || isTargets(one));

/** The one shape left when null is taken away; itself when there are several. */
const withoutNull = (root: Schema, given: Schema): Schema => {
  const schema = resolved(root, given);
  const shapes = schema.anyOf?.filter(({ type }) => type !== "null");
  const [only] = shapes ?? [];
  if (!only || shapes?.length !== 1 || isTargets(schema)) return schema;
  return { ...(schema.description === undefined ? {} : { description: schema.description }), ...resolved(root, only) };
};

const LONG = 8_192;

const itemKind = (root: Schema, items: Schema | undefined): Kind => {
  const { type } = items ? resolved(root, items) : {};
  return type === "string" ? "texts" : type === "integer" || type === "number" ? "numbers" : "free";
};

const isTextMap = (root: Schema, schema: Schema): boolean => {
  const values = [...Object.values(schema.patternProperties ?? {}), ...(typeof schema.additionalProperties === "object" ? [schema.additionalProperties] : [])];
  return values.length > 0 && values.every((value) => resolved(root, value).type === "string");
};

const kindOf = (root: Schema, schema: Schema): Kind => {
  if (isTargets(schema)) return "targets";
  if (schema.enum?.every((value) => typeof value === "string")) return "enum";
  if (schema.type === "boolean") return "boolean";
  if (schema.type === "integer" || schema.type === "number") return "number";
  if (schema.type === "string") return (schema.maxLength ?? 0) > LONG ? "long" : "text";
  if (schema.type === "array") return itemKind(root, schema.items);
  if (schema.type === "object" && schema.properties) return "group";
  return schema.type === "object" && isTextMap(root, schema) ? "map" : "free";
};

const fieldOf = (root: Schema, name: string, given: Schema, required: boolean): Field => {
  const schema = withoutNull(root, given);
  const kind = kindOf(root, schema);
  return {
    name, kind, required, schema,
    default: given.default ?? undefined,
    description: given.description ?? schema.description ?? null,
    choices: kind === "enum" ? (schema.enum ?? []).map(String) : [],
    fields: kind === "group" ? fieldsOf(root, schema) : [],
  };
};

const fieldsOf = (root: Schema, schema: Schema): Field[] =>
  Object.entries(schema.properties ?? {})
    .filter(([, property]) => property.const === undefined)
    .map(([name, property]) => fieldOf(root, name, property, schema.required?.includes(name) ?? false));

/** Every type of step there is, in the order of the schema. */
export const stepTypes = (root: Schema): StepType[] =>
  (root.properties?.steps?.items?.oneOf ?? []).flatMap((one) => {
    const schema = resolved(root, one);
    const { type } = schema.properties ?? {};
    const names = typeof type?.const === "string" ? [type.const] : (type?.enum ?? []).map(String);
    const fields = fieldsOf(root, schema).filter(({ name }) => name !== "type");
    return names.map((name) => ({ type: name, description: schema.description ?? "", fields }));
  });

/** The types a parameter can have. */
export const parameterTypes = (root: Schema): string[] => (root.$defs?.Parameter?.properties?.type?.enum ?? ["string"]).map(String);

/** The fields of the document itself. */
export const jobFields = (root: Schema): Field[] => fieldsOf(root, root);
