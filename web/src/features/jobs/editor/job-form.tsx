import { Textarea, TextInput } from "@mantine/core";

import { Panel } from "@/ui/panel";

import { useEditing, usePart } from "./context";
import classes from "./editor.module.css";
import { FieldInput } from "./field-input";
import { ParametersForm } from "./parameters-form";
import { jobFields } from "./schema";
import { StepsForm } from "./steps-form";
import { TargetsInput } from "./targets-input";
import { asFlat } from "./use-typed";

const ARRANGED = new Set(["name", "description", "version", "parameters", "targets", "steps"]);

const General = () => {
  const { schema } = useEditing();
  const name = usePart(["name"]);
  const description = usePart(["description"]);
  return (
    <div className={classes.row}>
      <TextInput size="xs" className={classes.wide ?? ""} label="Name" withAsterisk value={asFlat(name.value)} error={name.error} data-autofocus onChange={(event) => name.set(event.currentTarget.value)} />
      <Textarea size="xs" className={classes.wide ?? ""} label="Description" autosize minRows={1} maxRows={6} value={asFlat(description.value)} error={description.error}
        onChange={(event) => description.set(event.currentTarget.value || undefined)} />
      <TargetsInput path={["targets"]} label="Targets" inherit="By each step, or at the start" hint={null} />
      {jobFields(schema).filter((field) => !ARRANGED.has(field.name)).map((field) => <FieldInput key={field.name} field={field} path={[field.name]} />)}
    </div>
  );
};

/** The whole document as a form. */
export const JobForm = () => {
  const { undo, redo } = useEditing();
  const keys = (event: React.KeyboardEvent): void => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
    const key = event.key.toLowerCase();
    if (key !== "z" && key !== "y") return;
    if (event.target instanceof Element && event.target.closest(".cm-editor")) return; // has said it already
    event.preventDefault();
    if (key === "y" || event.shiftKey) redo();
    else undo();
  };
  return (
    <div className={classes.form} onKeyDown={keys}>
      <Panel title="Job"><General /></Panel>
      <Panel title="Parameters"><ParametersForm /></Panel>
      <Panel title="Steps"><StepsForm /></Panel>
    </div>
  );
};
