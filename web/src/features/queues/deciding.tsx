/** Replaying and discarding, for one letter and for many: asked for, done, and told. */
import { Button, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { type SubmitEvent, useState } from "react";

import { count } from "@/lib/span";
import { confirm } from "@/ui/confirm";
import { FormAlert } from "@/ui/forms/form-alert";
import { toastDone, toastProblem } from "@/ui/toasts";

import { type Decided, useDecide } from "./api";

const letters = (number: number): string => count(number, "dead letter");

const tell = (verb: string, { done, refused }: Decided): void => {
  if (done > 0) toastDone(`${letters(done)} ${verb}.`);
  const [first] = refused;
  if (first) toastProblem(`${letters(refused.length)} could not be ${verb}`, new Error(first.detail));
};

/** `onDone` hears which letters were refused; `discarding` are the letters that a dialog asks about; null while there is none. */
export const useDeciding = (onDone: (refused: readonly string[]) => void) => {
  const { mutateAsync, isPending } = useDecide();
  const [discarding, setDiscarding] = useState<readonly string[] | null>(null);
  const done = (verb: string, decided: Decided): void => {
    tell(verb, decided);
    onDone(decided.refused.map(({ id }) => id));
  };
  const replay = async (ids: readonly string[]): Promise<void> => {
    const yes = await confirm({
      title: `Replay ${letters(ids.length)}?`,
      text: "Each goes again to the exchange and key it came from, and what it parks is worked on again. If the cause is still there, it comes back here.",
      verb: ids.length === 1 ? "Replay it" : `Replay ${ids.length}`,
    });
    if (!yes) return;
    await mutateAsync({ action: "replay", ids }).then(
      (decided) => done("replayed", decided),
      (error: unknown) => toastProblem("Nothing was replayed", error),
    );
  };
  const discard = async (ids: readonly string[], reason: string): Promise<void> => {
    done("discarded", await mutateAsync({ action: "discard", ids, reason }));
    setDiscarding(null);
  };
  return { replay, discard, discarding, setDiscarding, isPending };
};

export const DiscardDialog = ({ ids, onClose, onDiscard }: {
  ids: readonly string[];
  onClose: () => void;
  onDiscard: (ids: readonly string[], reason: string) => Promise<void>;
}) => {
  const [reason, setReason] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    setBusy(true);
    onDiscard(ids, reason.trim())
      .catch((error: unknown) => setProblem(error instanceof Error ? error.message : String(error)))
      .finally(() => setBusy(false));
  };
  return (
    <Modal opened onClose={onClose} title={`Discard ${letters(ids.length)}?`} closeButtonProps={{ "aria-label": "Close" }}>
      <form onSubmit={submit}>
        <Stack>
          <Text size="sm">The message is given up for good, and the run, step or test that it parks ends as failed.</Text>
          <TextInput label="Reason" description="Stands in the audit log and on what fails." required maxLength={500} data-autofocus value={reason}
            onChange={(event) => setReason(event.currentTarget.value)} />
          <FormAlert text={problem} />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>Leave it</Button>
            <Button type="submit" color="red" loading={busy} disabled={reason.trim() === ""}>
              {ids.length === 1 ? "Discard it" : `Discard ${ids.length}`}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
};
