import { ActionIcon, Select, TextInput } from "@mantine/core";
import { ArrowDown, ArrowUp, ChevronDown, ChevronRight, CopyPlus, GripVertical, Trash2 } from "lucide-react";
import type { KeyboardEvent } from "react";

import { stepInWords } from "@/features/jobs/in-words";
import { useEditing, usePart } from "./context";
import { edit, partOf, type Path, type Value } from "./document";
import classes from "./editor.module.css";
import { FieldInput } from "./field-input";
import { layoutOf } from "./layouts";
import { problemsAt } from "./problems";
import { asFlat } from "./use-typed";

interface Props {
  step: Value;
  index: number;
  count: number;
  isOpen: boolean;
  /** Something else is being dragged and may be dropped here. */
  isOver: boolean;
  onToggle: () => void;
  onMove: (to: number) => void;
  onCopy: () => void;
  onRemove: () => void;
  onKeys: (event: KeyboardEvent) => void;
  onDrag: (isDragged: boolean) => void;
  onDrop: () => void;
}

const KEYS = "↑ ↓ other steps · Alt ↑ ↓ move it · Shift Alt ↓ copy it · Delete remove it";

const TypeSelect = ({ index }: { index: number }) => {
  const { text, definition, types, write, problems } = useEditing();
  const path: Path = ["steps", index];
  const step = partOf(definition, path);
  const turn = (type: string | null): void => {
    const next = types.find((one) => one.type === type);
    if (!next) return;
    const known = new Set(["type", ...next.fields.map(({ name }) => name)]);
    const strange = Object.keys(typeof step === "object" && step !== null ? step : {}).filter((name) => !known.has(name));
    const choices = next.fields.filter(({ kind, name }) => kind === "enum" && !strange.includes(name)).filter(({ name, choices: allowed }) => { const now = asFlat(partOf(step, [name])); return now !== "" && !allowed.includes(now); });
    const typed = edit(text, [...path, "type"], next.type);
    write([...strange, ...choices.map(({ name }) => name)].reduce((so, name) => edit(so, [...path, name], undefined), typed), `type ${Date.now()}`);
  };
  return <Select size="xs" label="Type" data={types.map(({ type }) => type)} value={asFlat(partOf(step, ["type"])) || null} error={problemsAt(problems, `steps.${index}.type`)} onChange={turn} allowDeselect={false} searchable />;
};

const NameInput = ({ index }: { index: number }) => {
  const { value, set, error } = usePart(["steps", index, "name"]);
  return <TextInput size="xs" label="Name" value={asFlat(value)} error={error} placeholder={`step-${index + 1}`} spellCheck={false} onChange={(event) => set(event.currentTarget.value || undefined)} />;
};

const Body = ({ index }: { index: number }) => {
  const { definition, types } = useEditing();
  const path: Path = ["steps", index];
  const type = types.find((one) => one.type === partOf(definition, [...path, "type"]));
  const layout = type ? layoutOf(type) : { main: [], groups: [] };
  const isSet = (name: string): boolean => partOf(definition, [...path, name]) !== undefined;
  return (
    <div className={classes.stepBody}>
      <div className={classes.row}><NameInput index={index} /><TypeSelect index={index} /></div>
      {layout.main.length > 0 && <div className={classes.row}>{layout.main.map((field) => <FieldInput key={field.name} field={field} path={[...path, field.name]} />)}</div>}
      {layout.groups.map(({ title, fields }) => {
        const used = fields.filter(({ name }) => isSet(name)).length;
        return (
          <details key={title} className={classes.fold} open={used > 0 || undefined}>
            <summary>{title}{used > 0 && <span> · {used} set</span>}</summary>
            <div className={classes.row}>{fields.map((field) => <FieldInput key={field.name} field={field} path={[...path, field.name]} />)}</div>
          </details>
        );
      })}
    </div>
  );
};

export const StepCard = ({ step, index, count, isOpen, isOver, onToggle, onMove, onCopy, onRemove, onKeys, onDrag, onDrop }: Props) => {
  const { definition, problems, preview } = useEditing();
  const { name, type, what, how } = stepInWords(step, index, definition.targets);
  const wrong = problems.filter(({ path }) => path === `steps.${index}` || path.startsWith(`steps.${index}.`)).length;
  const targets = preview?.steps[index];
  const Chevron = isOpen ? ChevronDown : ChevronRight;
  const button = (label: string, Icon: typeof ArrowUp, act: () => void, disabled = false) => (
    <ActionIcon variant="subtle" color="gray" size={28} aria-label={`${label} ${name}`} title={label} disabled={disabled} onClick={act}><Icon size={15} /></ActionIcon>
  );
  return (
    <li className={classes.step} {...(wrong > 0 ? { "data-wrong": true } : {})}
      onDragOver={(event) => { if (isOver) event.preventDefault(); }} onDrop={(event) => { event.preventDefault(); onDrop(); }}>
      <div className={classes.stepHead}>
        <span className={classes.grip} draggable aria-hidden="true" title="Drag to move"
          onDragStart={(event) => { event.dataTransfer.effectAllowed = "move"; event.dataTransfer.setData("text/plain", name); onDrag(true); }} onDragEnd={() => onDrag(false)}>
          <GripVertical size={15} />
        </span>
        <button type="button" className={classes.opener} data-step={index} aria-expanded={isOpen} title={KEYS} onClick={onToggle} onKeyDown={onKeys}>
          <Chevron size={14} aria-hidden="true" /><span className="quiet">{index + 1}</span><b className="cut">{name}</b>
          <span className="quiet mono nowrap">{type}</span>
          <span className="quiet cut">{what}{targets && targets.count !== 1 ? ` (${targets.count})` : ""}{how === "" ? "" : ` · ${how}`}</span>
          {wrong > 0 && <span className={classes.line}>✕ {wrong}</span>}
        </button>
        {button("Move up", ArrowUp, () => onMove(index - 1), index === 0)}
        {button("Move down", ArrowDown, () => onMove(index + 1), index === count - 1)}
        {button("Duplicate", CopyPlus, onCopy)}
        {button("Remove", Trash2, onRemove)}
      </div>
      {isOpen && <Body index={index} />}
    </li>
  );
};
