import { Input } from "@mantine/core";

import { useEditing, usePart } from "./context";
import { LazyCodeBox } from "./lazy-code-box";
import { type Path, partOf } from "./document";
import classes from "./editor.module.css";
import { labelOf } from "./layouts";
import type { Field } from "./schema";
import { asFlat } from "./use-typed";

/** A script in the language of its step's shell. */
export const ScriptInput = ({ field, path }: { field: Field; path: Path }) => {
  const { definition, completions, undo, redo, types } = useEditing();
  const { value, set, error } = usePart(path);
  const above = path.slice(0, -1);
  const type = types.find((one) => one.type === partOf(definition, [...above, "type"]));
  const shell = asFlat(partOf(definition, [...above, "shell"])) || asFlat(type?.fields.find(({ name }) => name === "shell")?.default);
  const label = labelOf(field.name);
  return (
    <Input.Wrapper size="xs" label={label} withAsterisk={field.required} error={error} className={classes.wide} labelElement="div"
      description="Parameters go in as {{ name }}: they are handed over as data, never pasted into the text." inputWrapperOrder={["label", "input", "description", "error"]}>
      <LazyCodeBox label={`${label} of step ${Number(path[1]) + 1}`} value={asFlat(value)} language={shell} parameters={completions} onUndo={undo} onRedo={redo}
        onChange={(text) => set(text === "" && !field.required ? undefined : text)} />
    </Input.Wrapper>
  );
};
