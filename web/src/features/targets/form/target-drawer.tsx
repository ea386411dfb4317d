import { Button, Drawer, Group, Stack, Text } from "@mantine/core";
import { useState } from "react";

import type { Target } from "@/features/targets/api";
import { TestPanel } from "@/features/targets/testing/test-panel";
import { type Edited, TargetForm } from "./target-form";

interface Props {
  opened: boolean;
  edited: Edited | null;
  onClose: () => void;
  /** Where to go with the new target once it was tested. */
  onOpen?: ((target: Target) => void) | undefined;
}

const Saved = ({ target, onAnother, onClose, onOpen }: { target: Target; onAnother: () => void } & Pick<Props, "onClose" | "onOpen">) => (
  <Stack gap="md">
    <Text><bdi>{target.name}</bdi> is saved. This is what happens when OpsConductor connects to it:</Text>
    <TestPanel targetId={target.id} transport={target.os === "windows" ? "winrm" : "ssh"} start />
    <Group justify="flex-end">
      <Button variant="default" onClick={onAnother}>Add another</Button>
      {onOpen && <Button variant="default" onClick={() => onOpen(target)}>Open {target.name}</Button>}
      <Button onClick={onClose}>Done</Button>
    </Group>
  </Stack>
);

/** Adding: the form, then the test of what was saved. Editing: the form with a test of what is typed. */
export const TargetDrawer = ({ opened, edited, onClose, onOpen }: Props) => {
  const [saved, setSaved] = useState<Target | null>(null);
  const close = (): void => {
    setSaved(null);
    onClose();
  };
  const title = saved ? `Test ${saved.name}` : edited ? `Edit ${edited.target.name}` : "Add a target";
  return (
    <Drawer opened={opened} onClose={close} position="right" size={640} title={title} closeButtonProps={{ "aria-label": "Close" }} closeOnClickOutside={false}>
      {saved ? (
        <Saved target={saved} onAnother={() => setSaved(null)} onClose={close} onOpen={onOpen} />
      ) : (
        <TargetForm edited={edited} onCancel={close} onSaved={(target, isNew) => { if (isNew) setSaved(target); else close(); }} />
      )}
    </Drawer>
  );
};
