import { ActionIcon, Button, Group, SegmentedControl, TextInput } from "@mantine/core";
import { Play, Redo2, Save, Undo2 } from "lucide-react";

import { Allowed } from "@/ui/allowed";

import classes from "./editor.module.css";
import type { Saving } from "./use-save";

export type View = "form" | "both" | "yaml";

const VIEWS = [{ value: "form", label: "Form" }, { value: "both", label: "Both" }, { value: "yaml", label: "YAML" }];

export const SaveBar = ({ view, onView, save, onUndo, onRedo }: {
  view: View;
  onView: (view: View) => void;
  save: Saving;
  onUndo: (() => void) | null;
  onRedo: (() => void) | null;
}) => (
  <Group className={classes.bar ?? ""} gap="xs" mb={4} role="toolbar" aria-label="Editor">
    <SegmentedControl size="xs" data={VIEWS} value={view} onChange={(next) => onView(next as View)} aria-label="Show the job as" />
    <ActionIcon variant="default" size={30} aria-label="Undo" title="Undo (Ctrl Z)" disabled={onUndo === null} onClick={() => onUndo?.()}><Undo2 size={15} /></ActionIcon>
    <ActionIcon variant="default" size={30} aria-label="Redo" title="Redo (Ctrl Shift Z)" disabled={onRedo === null} onClick={() => onRedo?.()}><Redo2 size={15} /></ActionIcon>
    <TextInput aria-label="What changed" placeholder="What changed, and why (optional)" size="xs" maxLength={500} style={{ flex: "1 1 180px" }} maw={420} ml="auto"
      value={save.message} onChange={(event) => save.setMessage(event.currentTarget.value)} />
    <Allowed permission="jobs:write" unless={save.isDirty ? null : "Nothing has changed since it was saved."}>
      <Button leftSection={<Save size={15} />} loading={save.isPending} title="Save (Ctrl S)" onClick={() => save.save(false)}>Save</Button>
    </Allowed>
    <Allowed permission="jobs:write">
      <Button variant="default" leftSection={<Play size={15} />} disabled={save.isPending} onClick={() => save.save(true)}>Save and run</Button>
    </Allowed>
  </Group>
);
