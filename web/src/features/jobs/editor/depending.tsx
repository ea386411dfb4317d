import { Select, TextInput } from "@mantine/core";

import { type Parameter, parametersOf } from "@/ui/parameters/model";
import { useEditing } from "./context";
import { type Path, partOf, type Value } from "./document";
import { asFlat, joined, useTyped } from "./use-typed";

/** Types whose value can decide what another parameter may be. */
const DECIDES: ReadonlySet<string> = new Set(["string", "integer", "number", "boolean"]);
/** Types that have choices at all. */
export const CHOSEN: ReadonlySet<string> = new Set([...DECIDES, "multi"]);

interface Props {
  parameter: Parameter;
  path: Path;
  /** Several parts of the parameter at once; `undefined` takes one out. */
  change: (parts: Readonly<Record<string, Value | undefined>>, where: string) => void;
  asChoices: (text: string) => Value | undefined;
}

const Row = ({ parameter, value, groups, change, asChoices }: Omit<Props, "path"> & { value: string; groups: Readonly<Record<string, Value>> }) => {
  const [text, type] = useTyped(groups[value], joined(", "), asChoices, (next) => change({ choices_for: { ...groups, [value]: next ?? [] } }, `choices_for.${value}`));
  return <TextInput size="xs" label={`When ${parameter.dependsOn ?? ""} is ${value}`} placeholder="a, b, c" value={text} spellCheck={false} onChange={(event) => type(event.currentTarget.value)} />;
};

/** Which other parameter the choices follow, and the choices for each of its values. */
export const Depending = ({ parameter, path, change, asChoices }: Props) => {
  const { definition } = useEditing();
  const others = parametersOf(definition).filter(({ name, type }) => name !== parameter.name && DECIDES.has(type));
  const other = others.find(({ name }) => name === parameter.dependsOn);
  const written = partOf(definition, [...path, "choices_for"]);
  const groups = typeof written === "object" && written !== null && !Array.isArray(written) ? (written as Readonly<Record<string, Value>>) : {};
  const possible = other?.choices ?? Object.values(other?.choicesFor ?? {}).flat();
  const values = [...new Set([...(other?.type === "boolean" ? ["true", "false"] : possible.map(asFlat)), ...Object.keys(groups)])];
  if (others.length === 0 && parameter.dependsOn === null) return null;
  const names = [...new Set([...others.map(({ name }) => name), ...(parameter.dependsOn === null ? [] : [parameter.dependsOn])])];
  const follow = (next: string | null): void =>
    change(next === null ? { depends_on: undefined, choices_for: undefined } : { depends_on: next, choices_for: parameter.dependsOn === next ? groups : {}, choices: undefined }, "depends_on");
  return (
    <>
      <Select size="xs" label="Choices follow" placeholder="no other" data={names} value={parameter.dependsOn} clearable clearButtonProps={{ "aria-label": "Follow no other" }} onChange={follow} />
      {parameter.dependsOn !== null && values.map((value) => <Row key={value} parameter={parameter} value={value} groups={groups} change={change} asChoices={asChoices} />)}
      {parameter.dependsOn !== null && values.length === 0 && <span className="quiet">Give {parameter.dependsOn} choices first, or write choices_for as YAML.</span>}
    </>
  );
};
