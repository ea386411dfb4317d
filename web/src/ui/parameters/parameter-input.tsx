import { Checkbox, MultiSelect, PasswordInput, Select, Textarea, TextInput } from "@mantine/core";

import { FileParameter } from "./file-parameter";
import { type Filling, isList, type Parameter } from "./model";
import { NameParameter } from "./name-parameter";

interface Props {
  parameter: Parameter;
  value: Filling;
  onChange: (value: Filling) => void;
  error: string | null;
  /** Only shown, not asked for: files are not stored. */
  preview?: boolean;
}

const count = ({ minItems, maxItems }: Parameter): string => {
  if (minItems !== null && maxItems !== null) return minItems === maxItems ? `choose ${minItems}` : `choose ${minItems} to ${maxItems}`;
  return minItems ? `choose at least ${minItems}` : maxItems !== null ? `choose at most ${maxItems}` : "";
};

const limits = (parameter: Parameter): string => {
  const { minimum, maximum, pattern } = parameter;
  return [
    count(parameter),
    minimum !== null && maximum !== null ? `${minimum} to ${maximum}` : minimum !== null ? `at least ${minimum}` : maximum !== null ? `at most ${maximum}` : "",
    pattern === null ? "" : `matches ${pattern}`,
  ].filter(Boolean).join(" · ");
};

/** Why there is nothing to choose from yet. */
const waiting = ({ dependsOn, choices, because }: Parameter): string =>
  dependsOn === null || choices === null || choices.length > 0 ? "" : because === "" ? `choose ${dependsOn} first` : `no choices${because}`;

const hintOf = (parameter: Parameter): string => [parameter.description ?? "", limits(parameter), waiting(parameter)].filter(Boolean).join(" · ");

/** The input that fits the type of a parameter; a type this client does not know is a line of text. */
export const ParameterInput = ({ parameter, value, onChange, error, preview = false }: Props) => {
  const { name, type, required, choices } = parameter;
  const hint = hintOf(parameter);
  const shared = { label: name, description: hint === "" ? null : hint, withAsterisk: required, error, "data-parameter": name };
  const text = typeof value === "string" ? value : "";
  const write = (event: { currentTarget: { value: string } }): void => onChange(event.currentTarget.value);
  if (type === "multi")
    return <MultiSelect {...shared} data={(choices ?? []).map(String)} value={isList(value) ? [...value] : []} onChange={onChange} searchable clearable
      disabled={choices?.length === 0} placeholder={isList(value) && value.length > 0 ? "" : "Choose…"} hidePickedOptions clearButtonProps={{ "aria-label": `No ${name}` }} />;
  if (choices)
    return <Select {...shared} data={choices.map(String)} value={text === "" ? null : text} clearable={!required} searchable={choices.length > 8}
      disabled={choices.length === 0} placeholder="Choose…" onChange={(chosen) => onChange(chosen ?? "")} clearButtonProps={{ "aria-label": `No ${name}` }} />;
  if (type === "boolean")
    return <Checkbox label={name} description={shared.description} error={error} checked={value === true} onChange={(event) => onChange(event.currentTarget.checked)} />;
  if (type === "secret") return <PasswordInput {...shared} autoComplete="off" value={text} onChange={write} />;
  if (type === "date") return <TextInput {...shared} type="date" value={text} onChange={write} />;
  if (type === "target" || type === "credential") return <NameParameter kind={type} {...shared} value={text} onChange={onChange} clearable={!required} />;
  if (type === "file") return <FileParameter {...shared} value={text} onChange={onChange} preview={preview} />;
  if (type === "integer" || type === "number")
    return <TextInput {...shared} inputMode={type === "integer" ? "numeric" : "decimal"} value={text} onChange={write} />;
  if (typeof parameter.default === "string" && parameter.default.includes("\n"))
    return <Textarea {...shared} autosize minRows={2} maxRows={10} value={text} onChange={write} />;
  return <TextInput {...shared} value={text} onChange={write} spellCheck={false} />;
};
