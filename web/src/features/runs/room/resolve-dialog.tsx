import { Button, Group, Modal, Radio, Stack, Text, Textarea } from "@mantine/core";
import { type SyntheticEvent, useState } from "react";

import { useResolve } from "@/features/runs/run-queries";
import { FormAlert } from "@/ui/forms/form-alert";
import { formProblems } from "@/ui/forms/problems";
import { toastDone } from "@/ui/toasts";

interface Props {
  runId: string;
  tasks: readonly string[];
  /** Where: the step, and the targets as people name them. */
  place: string;
  onClose: () => void;
}

/** Say what was found out about tasks of which nobody knew how they ended. It is recorded with a name and cannot be taken back. */
const ResolveDialog = ({ runId, tasks, place, onClose }: Props) => {
  const resolve = useResolve(runId);
  const [verdict, setVerdict] = useState<"succeeded" | "failed" | null>(null);
  const [reason, setReason] = useState("");
  const problems = formProblems(resolve.error, ["reason"]);
  const ready = verdict !== null && reason.trim() !== "";
  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    if (!verdict || !ready) return;
    resolve.mutate({ tasks, verdict, reason: reason.trim() }, {
      onSuccess: () => {
        toastDone("Recorded.");
        onClose();
      },
    });
  };
  return (
    <Modal opened onClose={onClose} title="What did you find?" closeButtonProps={{ "aria-label": "Close" }}>
      <form onSubmit={submit}>
        <Stack gap="sm">
          <Text size="sm">{place}: the connection was lost after the command may have begun. Look at the target, then record how it ended. Nothing is run by this.</Text>
          <FormAlert text={problems.general} />
          <Radio.Group label="It really" value={verdict} onChange={(value) => setVerdict(value === "failed" ? "failed" : "succeeded")}>
            <Group mt={4}>
              <Radio value="succeeded" label="succeeded" />
              <Radio value="failed" label="failed" />
            </Group>
          </Radio.Group>
          <Textarea label="How do you know?" placeholder="The service runs since 14:02, seen in its event log." autosize minRows={2} maxLength={1000}
            value={reason} error={problems.of("reason")} onChange={(event) => setReason(event.currentTarget.value)} />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>Not now</Button>
            <Button type="submit" disabled={!ready} loading={resolve.isPending}>Record it{tasks.length > 1 ? ` for ${tasks.length}` : ""}</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
};

export default ResolveDialog;
