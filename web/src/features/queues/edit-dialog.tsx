import { Button, Group, Modal, Stack, Text, Textarea } from "@mantine/core";
import { type SubmitEvent, useState } from "react";

import { messageOf } from "@/lib/problem";
import { pretty } from "@/lib/text";
import { FormAlert } from "@/ui/forms/form-alert";
import { toastDone } from "@/ui/toasts";

import { type LetterDetail, useEditedReplay } from "./api";

const parsed = (text: string): Record<string, unknown> => {
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error("A message is a JSON object.");
  return value as Record<string, unknown>;
};

/** The body as text to change; it goes to the same exchange and key, and has to be a message of the same type. */
export const EditDialog = ({ letter, onClose }: { letter: LetterDetail; onClose: () => void }) => {
  const [text, setText] = useState(() => (letter.body_encoding === "text" ? pretty(letter.body) : "{}"));
  const [fault, setFault] = useState<string | null>(null);
  const replay = useEditedReplay(letter.id);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    try {
      const edited = parsed(text);
      setFault(null);
      replay.mutate(edited, { onSuccess: () => { toastDone("Replayed with the edited body."); onClose(); } });
    } catch (error) {
      setFault(messageOf(error));
    }
  };
  return (
    <Modal opened onClose={onClose} size="lg" title="Edit and replay" closeButtonProps={{ "aria-label": "Close" }}>
      <form onSubmit={submit}>
        <Stack>
          <Text size="sm">
            Goes to <span className="mono">{letter.exchange}</span> with the key <span className="mono">{letter.routing_key}</span>. The letter keeps the original body.
          </Text>
          <Textarea label="Body" autosize minRows={8} maxRows={22} spellCheck={false} data-autofocus value={text} error={fault}
            styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)", fontSize: 12 } }} onChange={(event) => setText(event.currentTarget.value)} />
          <FormAlert text={replay.isError ? messageOf(replay.error) : null} />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>Leave it</Button>
            <Button type="submit" loading={replay.isPending}>Replay edited</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
};
