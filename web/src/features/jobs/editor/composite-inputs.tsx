import { ActionIcon, Button, Checkbox, MultiSelect, TextInput } from "@mantine/core";
import { Plus, X } from "lucide-react";
import type { ReactNode } from "react";

import { useEditing, usePart } from "./context";
import { type Path, partOf, rename, type Value } from "./document";
import classes from "./editor.module.css";
import { hintOf, labelOf } from "./layouts";
import type { Field } from "./schema";
import { asFlat } from "./use-typed";

interface Props {
  field: Field;
  path: Path;
}

const entries = (value: Value | undefined): [string, Value][] =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? Object.entries(value) : [];

const freeName = (taken: readonly string[], wish: string): string => {
  for (let count = 1; ; count += 1) {
    const name = count === 1 ? wish : `${wish}_${count}`;
    if (!taken.includes(name)) return name;
  }
};

/** Names and texts, such as environment variables and headers. */
export const MapInput = ({ field, path }: Props) => {
  const { text, write } = useEditing();
  const { value, set, error } = usePart(path);
  const rows = entries(value);
  const label = labelOf(field.name);
  const without = (name: string): Value | undefined => {
    const left = rows.filter(([other]) => other !== name);
    return left.length === 0 ? undefined : Object.fromEntries(left);
  };
  return (
    <fieldset className={`${classes.group ?? ""} ${classes.wide ?? ""}`}>
      <legend>{label}</legend>
      {hintOf(field) !== null && <span className="quiet">{hintOf(field)}</span>}
      {rows.map(([name, item], index) => (
        <div key={index} className={classes.pairs}>
          <TextInput size="xs" aria-label={`${label}: name ${index + 1}`} className="mono" defaultValue={name} key={name} spellCheck={false}
            onBlur={({ currentTarget: { value: next } }) => write(rename(text, path, name, next.trim() || name), path.join("."))} />
          <TextInput size="xs" aria-label={`${label}: ${name}`} value={asFlat(item)} spellCheck={false} onChange={(event) => set({ ...Object.fromEntries(rows), [name]: event.currentTarget.value })} />
          <ActionIcon variant="subtle" color="gray" aria-label={`Remove ${name}`} onClick={() => set(without(name))}><X size={15} /></ActionIcon>
        </div>
      ))}
      {error !== null && <span className={classes.line}>{error}</span>}
      <Button variant="subtle" size="compact-sm" w="fit-content" leftSection={<Plus size={14} />} aria-label={`Add to ${label}`}
        onClick={() => set({ ...Object.fromEntries(rows), [freeName(rows.map(([name]) => name), "NAME")]: "" })}>Add</Button>
    </fieldset>
  );
};

/** Fields inside a field. One that may be left out altogether is switched on first. */
export const GroupInput = ({ field, path, render }: Props & { render: (inner: Field) => ReactNode }) => {
  const { value, set, error } = usePart(path);
  const isOptional = field.default === undefined && !field.required;
  const isOn = value !== undefined && value !== null && value !== false;
  const label = labelOf(field.name);
  if (isOptional && !isOn)
    return <Checkbox size="xs" mt={4} label={label} description={hintOf(field)} error={error} checked={false} onChange={() => set({})} />;
  return (
    <fieldset className={`${classes.group ?? ""} ${classes.wide ?? ""}`}>
      <legend>{isOptional ? <Checkbox size="xs" label={label} checked onChange={() => set(undefined)} /> : label}</legend>
      <div className={classes.row}>{field.fields.map(render)}</div>
    </fieldset>
  );
};

/** Steps that have to be done before; those there are, by name. */
export const NeedsInput = ({ field, path }: Props) => {
  const { definition } = useEditing();
  const { value, set, error } = usePart(path);
  const chosen = Array.isArray(value) ? (value as readonly Value[]).map(asFlat) : [];
  const own = Number(path[1]);
  const steps = partOf(definition, ["steps"]);
  const names = (Array.isArray(steps) ? (steps as readonly Value[]) : []).flatMap((step, index) => {
    const name = partOf(step, ["name"]);
    return index === own || typeof name !== "string" ? [] : [name];
  });
  return (
    <MultiSelect size="xs" label={labelOf(field.name)} description={hintOf(field)} error={error} inputWrapperOrder={["label", "input", "description", "error"]} data={[...new Set([...names, ...chosen])]} value={chosen}
      clearable clearButtonProps={{ "aria-label": "After the step before it" }} onChange={(next) => set(next.length === 0 ? undefined : next)} />
  );
};
