import { Button, Group, Modal, Text } from "@mantine/core";
import { lazy, Suspense } from "react";

import { Loading } from "@/ui/states/states";

import type { Saving } from "./use-save";

const DiffView = lazy(() => import("@/ui/code/diff-view"));

/** Somebody else saved in between: both are shown, and a person chooses. */
export const Conflict = ({ save, mine, onTake }: { save: Saving; mine: string; onTake: (text: string) => void }) => {
  const { theirs } = save;
  return (
    <Modal opened={theirs !== null} onClose={save.dismiss} size="min(1180px, 96vw)" title={<b>Somebody else saved this job meanwhile</b>} closeButtonProps={{ "aria-label": "Close" }}>
      {theirs && (
        <>
          <Text size="sm" mb="sm">Nothing of yours is lost, and nothing of theirs is overwritten yet. This is what differs:</Text>
          <Suspense fallback={<Loading rows={4} label="Loading the comparison" />}>
            <DiffView left={theirs.text} right={mine} leftLabel="Theirs, saved" rightLabel="Yours, not saved" />
          </Suspense>
          <Group justify="flex-end" mt="md" gap="xs">
            <Button variant="default" data-autofocus onClick={() => save.rebase(theirs)}>Go on editing mine</Button>
            <Button variant="default" onClick={() => { onTake(theirs.text); save.rebase(theirs); }}>Take theirs</Button>
            <Button color="red" onClick={() => save.rebase(theirs, true)}>Save mine over theirs</Button>
          </Group>
        </>
      )}
    </Modal>
  );
};
