import { Button, Checkbox, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { type ReactNode, type SubmitEvent, useState } from "react";

import { useRefusal } from "@/api/me";
import { type FilterPage, type SavedFilter, useChangeFilter, useKeepFilter } from "@/api/saved-filters";
import { FormAlert } from "@/ui/forms/form-alert";
import { type FormProblems, formProblems } from "@/ui/forms/problems";

const NameForm = ({ title, name: first, shared: sharedFirst, mayUnshare, verb, problems, busy, onClose, onSubmit }: {
  title: string;
  name: string;
  shared: boolean;
  mayUnshare: boolean;
  verb: string;
  problems: FormProblems;
  busy: boolean;
  onClose: () => void;
  onSubmit: (name: string, shared: boolean) => void;
}) => {
  const refusal = useRefusal("filters:share");
  const [name, setName] = useState(first);
  const [shared, setShared] = useState(sharedFirst);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    onSubmit(name.trim(), shared);
  };
  const note: ReactNode = refusal ?? (mayUnshare ? "They see it among their own, and can open its link." : "Only its owner can keep it to themselves again.");
  return (
    <Modal opened onClose={onClose} title={title} closeButtonProps={{ "aria-label": "Close" }}>
      <form onSubmit={submit}>
        <Stack>
          <TextInput label="Name" required maxLength={100} data-autofocus value={name} error={problems.of("name")}
            onChange={(event) => setName(event.currentTarget.value)} />
          <Checkbox label="Everybody may use them" description={note} checked={shared} disabled={refusal !== null || (!mayUnshare && sharedFirst)}
            onChange={(event) => setShared(event.currentTarget.checked)} />
          <FormAlert text={problems.general} />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>Leave it</Button>
            <Button type="submit" loading={busy} disabled={name.trim() === ""}>{verb}</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
};

export const KeepDialog = ({ page, query, onClose, onKept }: {
  page: FilterPage; query: Readonly<Record<string, unknown>>; onClose: () => void; onKept: (kept: SavedFilter) => void;
}) => {
  const keep = useKeepFilter();
  return (
    <NameForm title="Keep these filters" name="" shared={false} mayUnshare verb="Keep" problems={formProblems(keep.error, ["name"])} busy={keep.isPending} onClose={onClose}
      onSubmit={(name, shared) => keep.mutate({ page, name, shared, query: { ...query } }, { onSuccess: (kept) => { onKept(kept); onClose(); } })} />
  );
};

export const ChangeDialog = ({ filter, onClose }: { filter: SavedFilter; onClose: () => void }) => {
  const change = useChangeFilter();
  return (
    <NameForm title="Rename or share" name={filter.name} shared={filter.shared} mayUnshare={filter.own} verb="Save" problems={formProblems(change.error, ["name"])} busy={change.isPending}
      onClose={onClose} onSubmit={(name, shared) => change.mutate({ id: filter.id, name, ...(shared === filter.shared ? {} : { shared }) }, { onSuccess: onClose })} />
  );
};

/** What a link means that leads to nothing. */
export const MissingNote = () => <Text size="sm" c="dimmed">The kept filters of this link are gone, or nobody shares them with you.</Text>;
