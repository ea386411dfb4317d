import { ActionIcon, Checkbox, Select, TextInput } from "@mantine/core";
import { Trash2 } from "lucide-react";
import { useState } from "react";

import { type Parameter, parametersOf } from "@/ui/parameters/model";
import { useEditing, usePart } from "./context";
import { edit, type Path, partOf, rename, type Value } from "./document";
import { CHOSEN, Depending } from "./depending";
import classes from "./editor.module.css";
import { parameterTypes } from "./schema";
import { asFlat, asNumber, joined, useTyped } from "./use-typed";

const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;

const isPlain = (written: Value | undefined): boolean => typeof written !== "object" || written === null;

const wordsOf = (text: string): string[] => text.split(",").map((word) => word.trim()).filter(Boolean);

/** A text means what the type of its parameter makes of it. */
const asTyped = (type: string) => (text: string): Value | undefined => {
  if (text === "") return undefined;
  if (type === "multi") return wordsOf(text);
  if (type === "boolean") return text === "true" ? true : text === "false" ? false : text;
  return type === "integer" || type === "number" ? asNumber(text) : text;
};

const asChoices = (type: string) => (text: string): Value | undefined => {
  const words = wordsOf(text);
  return words.length === 0 ? undefined : words.map((word) => (type === "multi" ? word : (asTyped(type)(word) ?? word)));
};

const NameInput = ({ name }: { name: string }) => {
  const { text, definition, write } = useEditing();
  const [typed, setTyped] = useState(name);
  const [refusal, setRefusal] = useState<string | null>(null);
  const settle = (): void => {
    if (typed === name) return;
    if (!NAME.test(typed)) { setRefusal("letters, digits and _ only, no digit first"); return; }
    const renamed = rename(text, ["parameters"], name, typed);
    if (renamed === text) { setRefusal("is taken"); return; }
    // Where it is used it goes by its new name too.
    const followers = parametersOf(definition).filter(({ dependsOn }) => dependsOn === name);
    const followed = followers.reduce((before, { name: other }) => edit(before, ["parameters", other, "depends_on"], typed), renamed);
    write(followed.replaceAll(new RegExp(String.raw`(\{\{\s*)${name}(\s*(?:\|\s*raw\s*)?\}\})`, "g"), `$1${typed}$2`), `rename ${Date.now()}`);
  };
  return <TextInput size="xs" label="Name" value={typed} error={refusal} spellCheck={false} onBlur={settle}
    onChange={(event) => { setTyped(event.currentTarget.value); setRefusal(null); }} onKeyDown={(event) => { if (event.key === "Enter") settle(); }} />;
};

/** One parameter; `svc: Spooler` stays as short as it is until it says more than a default. */
export const ParameterCard = ({ parameter }: { parameter: Parameter }) => {
  const { name, type } = parameter;
  const { text, definition, schema, write } = useEditing();
  const path: Path = ["parameters", name];
  const { error } = usePart(path);
  const written = partOf(definition, path);
  const change = (key: string, value: Value | undefined): void => {
    const where = `${path.join(".")}.${key}`;
    if (!isPlain(written)) write(edit(text, [...path, key], value), where);
    else if (key === "default" && value !== undefined && type !== "secret") write(edit(text, path, value), where);
    else write(edit(text, path, { type, ...(written === undefined || written === null ? {} : { default: written }), ...(value === undefined ? {} : { [key]: value }) }), where);
  };
  const several = (parts: Readonly<Record<string, Value | undefined>>, what: string): void => {
    const whole = isPlain(written) ? edit(text, path, { type, ...(written === undefined || written === null ? {} : { default: written }) }) : text;
    write(Object.entries(parts).reduce((before, [key, value]) => edit(before, [...path, key], value), whole), `${path.join(".")}.${what}`);
  };
  const turn = (next: string): void => {
    if (type === "multi" || next === "multi") several({ type: next, default: undefined, min_items: undefined, max_items: undefined, ...(next === "multi" ? { pattern: undefined } : {}) }, "type");
    else change("type", next);
  };
  const isMulti = type === "multi";
  const [fallback, setFallback] = useTyped(parameter.default ?? undefined, isMulti ? joined(", ") : asFlat, asTyped(type), (value) => change("default", value));
  const [choices, setChoices] = useTyped(parameter.choices ?? undefined, joined(", "), asChoices(type), (value) => change("choices", value));
  const [least, setLeast] = useTyped(parameter.minItems ?? undefined, asFlat, asNumber, (value) => change("min_items", value));
  const [most, setMost] = useTyped(parameter.maxItems ?? undefined, asFlat, asNumber, (value) => change("max_items", value));
  const [minimum, setMinimum] = useTyped(parameter.minimum ?? undefined, asFlat, asNumber, (value) => change("minimum", value));
  const [maximum, setMaximum] = useTyped(parameter.maximum ?? undefined, asFlat, asNumber, (value) => change("maximum", value));
  const isNumeric = type === "integer" || type === "number";
  const isLimited = isMulti || [parameter.choices, parameter.dependsOn, parameter.minimum, parameter.maximum, parameter.pattern].some((limit) => limit !== null);
  return (
    <div className={classes.parameter} role="group" aria-label={`Parameter ${name}`}>
      <div className={classes.row}>
        <NameInput key={name} name={name} />
        <Select size="xs" label="Type" data={[...new Set([...parameterTypes(schema), type])]} value={type} allowDeselect={false} onChange={(next) => { if (next !== null && next !== type) turn(next); }} />
        {type !== "secret" && <TextInput size="xs" label="Default" placeholder={isMulti ? "a, b" : ""} value={fallback} spellCheck={false} onChange={(event) => setFallback(event.currentTarget.value)} />}
        <TextInput size="xs" label="What it is for" value={parameter.description ?? ""} onChange={(event) => change("description", event.currentTarget.value || undefined)} />
      </div>
      {type !== "boolean" && (
        <details className={classes.fold} open={isLimited || undefined}>
          <summary>What it may be</summary>
          <div className={classes.row}>
            {type !== "secret" && parameter.dependsOn === null && <TextInput size="xs" label="Choices" placeholder="a, b, c" value={choices} spellCheck={false} onChange={(event) => setChoices(event.currentTarget.value)} />}
            {CHOSEN.has(type) && <Depending parameter={parameter} path={path} change={several} asChoices={asChoices(type)} />}
            {isMulti && <TextInput size="xs" label="Choose at least" inputMode="numeric" value={least} onChange={(event) => setLeast(event.currentTarget.value)} />}
            {isMulti && <TextInput size="xs" label="Choose at most" inputMode="numeric" value={most} onChange={(event) => setMost(event.currentTarget.value)} />}
            {isNumeric && <TextInput size="xs" label="At least" inputMode="decimal" value={minimum} onChange={(event) => setMinimum(event.currentTarget.value)} />}
            {isNumeric && <TextInput size="xs" label="At most" inputMode="decimal" value={maximum} onChange={(event) => setMaximum(event.currentTarget.value)} />}
            {!isNumeric && !isMulti && <TextInput size="xs" label="Must match" placeholder="[a-z]+" value={parameter.pattern ?? ""} spellCheck={false} onChange={(event) => change("pattern", event.currentTarget.value || undefined)} />}
          </div>
        </details>
      )}
      <div className={classes.stepHead}>
        <Checkbox size="xs" label="Required" checked={parameter.required} onChange={(event) => change("required", event.currentTarget.checked || undefined)} style={{ flex: 1 }} />
        {error !== null && <span className={classes.line} role="alert">{error}</span>}
        <ActionIcon variant="subtle" color="gray" aria-label={`Remove the parameter ${name}`} onClick={() => write(edit(text, path, undefined), `remove ${Date.now()}`)}><Trash2 size={15} /></ActionIcon>
      </div>
    </div>
  );
};
