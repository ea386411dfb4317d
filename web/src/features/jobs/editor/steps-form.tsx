import { Button, Menu } from "@mantine/core";
import { Plus } from "lucide-react";
import { useEffect, useRef, useState } from "react";

import { useEditing } from "./context";
import { edit, insert, isList, isMapping, move, partOf, type Value } from "./document";
import classes from "./editor.module.css";
import type { Field, StepType } from "./schema";
import { StepCard } from "./step-card";
import { asFlat } from "./use-typed";

const STEPS = ["steps"] as const;

const begun = ({ kind, schema, choices }: Field): Value | undefined => {
  if (kind === "number") return schema.minimum ?? undefined;
  return kind === "enum" ? choices[0] : "";
};

const freshName = (steps: readonly Value[], wish: string): string => {
  const taken = new Set(steps.map((step) => asFlat(partOf(step, ["name"]))));
  for (let count = steps.length + 1; ; count += 1) if (!taken.has(`${wish}-${count}`)) return `${wish}-${count}`;
};

const newStep = (type: StepType, steps: readonly Value[]): Value => ({
  name: freshName(steps, "step"),
  type: type.type,
  ...Object.fromEntries(type.fields.filter(({ required }) => required).flatMap((field) => { const value = begun(field); return value === undefined ? [] : [[field.name, value]]; })),
});

/** The steps in their order: add, open, move, copy and remove them, with the mouse or the keyboard. */
export const StepsForm = () => {
  const { text, definition, types, write } = useEditing();
  const list = partOf(definition, STEPS);
  const steps = isList(list) ? list : [];
  const [open, setOpen] = useState<ReadonlySet<number>>(() => new Set(steps.length === 1 ? [0] : []));
  const [dragged, setDragged] = useState<number | null>(null);
  const [focus, setFocus] = useState<number | null>(null);
  const host = useRef<HTMLOListElement>(null);

  useEffect(() => {
    if (focus === null) return;
    const opener = host.current?.querySelector<HTMLElement>(`[data-step="${focus}"]`);
    opener?.focus({ preventScroll: true });
    opener?.closest("li")?.scrollIntoView({ block: "nearest" });
    setFocus(null);
  }, [focus]);

  const shift = (change: (index: number) => number | null): void =>
    setOpen((before) => new Set([...before].map(change).filter((index) => index !== null)));
  const moveTo = (from: number, to: number): void => {
    if (to < 0 || to >= steps.length || from === to) return;
    write(move(text, STEPS, from, to), `move ${Date.now()}`);
    shift((index) => (index === from ? to : from < index && index <= to ? index - 1 : to <= index && index < from ? index + 1 : index));
    setFocus(to);
  };
  const put = (at: number, step: Value): void => {
    write(insert(text, STEPS, at, step), `insert ${Date.now()}`);
    setOpen((before) => new Set([...[...before].map((index) => (index >= at ? index + 1 : index)), at]));
    setFocus(at);
  };
  const copy = (index: number): void => {
    const step = steps[index];
    if (isMapping(step)) put(index + 1, { ...step, ...("name" in step ? { name: freshName(steps, asFlat(step.name).replace(/-\d+$/, "") || "step") } : {}) });
  };
  const remove = (index: number): void => {
    write(edit(text, [...STEPS, index], undefined), `remove ${Date.now()}`);
    shift((other) => (other === index ? null : other > index ? other - 1 : other));
    setFocus(Math.max(index - 1, 0));
  };
  const keys = (event: React.KeyboardEvent, index: number): void => {
    const { key, altKey, shiftKey, ctrlKey, metaKey } = event;
    if (ctrlKey || metaKey) return;
    const act =
      key === "ArrowDown" ? (altKey && shiftKey ? () => copy(index) : altKey ? () => moveTo(index, index + 1) : () => setFocus(Math.min(index + 1, steps.length - 1)))
      : key === "ArrowUp" ? (altKey ? () => moveTo(index, index - 1) : () => setFocus(Math.max(index - 1, 0)))
      : key === "Delete" ? () => remove(index)
      : null;
    if (!act) return;
    event.preventDefault();
    act();
  };
  return (
    <>
      <ol className={classes.steps} ref={host} aria-label="Steps">
        {steps.map((step, index) => (
          <StepCard key={index} step={step} index={index} count={steps.length} isOpen={open.has(index)} isOver={dragged !== null && dragged !== index}
            onToggle={() => setOpen((before) => { const next = new Set(before); if (!next.delete(index)) next.add(index); return next; })}
            onMove={(to) => moveTo(index, to)} onCopy={() => copy(index)} onRemove={() => remove(index)} onKeys={(event) => keys(event, index)}
            onDrag={(isDragged) => setDragged(isDragged ? index : null)} onDrop={() => { if (dragged !== null) moveTo(dragged, index); setDragged(null); }} />
        ))}
      </ol>
      <Menu position="bottom-start" withinPortal width={420}>
        <Menu.Target><Button variant="default" mt={steps.length > 0 ? "xs" : 0} leftSection={<Plus size={15} />}>Add a step</Button></Menu.Target>
        <Menu.Dropdown mah={420} style={{ overflowY: "auto" }}>
          {types.map((type) => (
            <Menu.Item key={type.type} onClick={() => put(steps.length, newStep(type, steps))}>
              <b className="mono">{type.type}</b> <span className="quiet">{type.description}</span>
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
    </>
  );
};
