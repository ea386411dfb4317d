import { Checkbox, Select, Textarea, TextInput } from "@mantine/core";

import { usePart } from "./context";
import type { Path, Value } from "./document";
import { partAsText, textAsPart } from "./document";
import { GroupInput, MapInput, NeedsInput } from "./composite-inputs";
import { CredentialInput } from "./credential-input";
import classes from "./editor.module.css";
import { choiceLabel, hintOf, labelOf } from "./layouts";
import type { Field } from "./schema";
import { ScriptInput } from "./script-input";
import { TargetsInput } from "./targets-input";
import { asFlat, asLines, asNumber, asNumbers, joined, useTyped } from "./use-typed";

export interface InputProps {
  field: Field;
  path: Path;
}

/** What all inputs of one line share. */
const shared = (field: Field, error: string | null) => ({
  size: "xs" as const, label: labelOf(field.name), description: hintOf(field), withAsterisk: field.required, error, inputWrapperOrder: ["label", "input", "description", "error"] as const,
});

const orders = (given: ReturnType<typeof shared>) => ({ ...given, inputWrapperOrder: [...given.inputWrapperOrder] });

const defaultHint = (value: Value | undefined): string => (value === undefined || value === null || typeof value === "object" ? "" : choiceLabel(String(value)));

const TextLine = ({ field, path }: InputProps) => {
  const { value, set, error } = usePart(path);
  return <TextInput {...orders(shared(field, error))} value={asFlat(value)} placeholder={defaultHint(field.default)} spellCheck={false}
    onChange={({ currentTarget: { value: text } }) => set(text === "" && !field.required ? undefined : text)} />;
};

const LongText = ({ field, path }: InputProps) => {
  const { value, set, error } = usePart(path);
  return <Textarea {...orders(shared(field, error))} className={classes.wide} autosize minRows={2} maxRows={10} value={asFlat(value)} spellCheck={false}
    onChange={({ currentTarget: { value: text } }) => set(text === "" && !field.required ? undefined : text)} />;
};

const NumberLine = ({ field, path }: InputProps) => {
  const { value, set, error } = usePart(path);
  const [text, type] = useTyped(value, asFlat, asNumber, set);
  return <TextInput {...orders(shared(field, error))} inputMode="decimal" value={text} placeholder={defaultHint(field.default)} onChange={(event) => type(event.currentTarget.value)} />;
};

const NumbersLine = ({ field, path }: InputProps) => {
  const { value, set, error } = usePart(path);
  const [text, type] = useTyped(value, joined(", "), asNumbers, set);
  return <TextInput {...orders(shared(field, error))} value={text} placeholder={joined(", ")(field.default)} onChange={(event) => type(event.currentTarget.value)} />;
};

const Lines = ({ field, path }: InputProps) => {
  const { value, set, error } = usePart(path);
  const [text, type] = useTyped(value, joined("\n"), asLines, set);
  return <Textarea {...orders(shared(field, error))} description={field.description ?? "One a line."} autosize minRows={1} maxRows={10} value={text} spellCheck={false} onChange={(event) => type(event.currentTarget.value)} />;
};

const Tick = ({ field, path }: InputProps) => {
  const { value, set, error } = usePart(path);
  const unset = field.default === true;
  return <Checkbox size="xs" mt={4} label={labelOf(field.name)} description={hintOf(field)} error={error} checked={typeof value === "boolean" ? value : unset}
    onChange={({ currentTarget: { checked } }) => set(checked === unset ? undefined : checked)} />;
};

const OneOf = ({ field, path }: InputProps) => {
  const { value, set, error } = usePart(path);
  const text = asFlat(value);
  const choices = text === "" || field.choices.includes(text) ? field.choices : [text, ...field.choices];
  return <Select {...orders(shared(field, error))} data={choices.map((choice) => ({ value: choice, label: choiceLabel(choice) }))} value={text === "" ? null : text}
    placeholder={defaultHint(field.default)} clearable={!field.required} clearButtonProps={{ "aria-label": `${labelOf(field.name)}: the default` }} onChange={(choice) => set(choice ?? undefined)} />;
};

/** Whatever has no input of its own is written as YAML. */
const Free = ({ field, path }: InputProps) => {
  const { value, set, error } = usePart(path);
  const [text, type] = useTyped(value, partAsText, (written) => (written.trim() === "" ? undefined : (textAsPart(written) ?? written)), set);
  return <Textarea {...orders(shared(field, error))} className={classes.wide} description={hintOf(field) ?? "As YAML."} autosize minRows={2} maxRows={12} value={text} spellCheck={false} onChange={(event) => type(event.currentTarget.value)} />;
};

/** The input that fits a field. */
export const FieldInput = ({ field, path }: InputProps) => {
  if (field.name === "needs") return <NeedsInput field={field} path={path} />;
  if (field.name === "credential") return <CredentialInput field={field} path={path} />;
  if (field.name === "command") return <ScriptInput field={field} path={path} />;
  switch (field.kind) {
    case "text": return <TextLine field={field} path={path} />;
    case "long": return <LongText field={field} path={path} />;
    case "number": return <NumberLine field={field} path={path} />;
    case "numbers": return <NumbersLine field={field} path={path} />;
    case "texts": return <Lines field={field} path={path} />;
    case "boolean": return <Tick field={field} path={path} />;
    case "enum": return <OneOf field={field} path={path} />;
    case "targets": return <TargetsInput path={path} label={labelOf(field.name)} hint={hintOf(field)} inherit="The job's" />;
    case "map": return <MapInput field={field} path={path} />;
    case "group": return <GroupInput field={field} path={path} render={(inner) => <FieldInput key={inner.name} field={inner} path={[...path, inner.name]} />} />;
    case "free": return <Free field={field} path={path} />;
  }
};
