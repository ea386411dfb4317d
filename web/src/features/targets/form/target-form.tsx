import { Button, Divider, Group, Stack, Title } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type SubmitEvent, useState } from "react";

import { randomKey } from "@/lib/ids";
import { Problem } from "@/lib/problem";
import { FormAlert } from "@/ui/forms/form-alert";
import { formProblems } from "@/ui/forms/problems";

import { createTarget, replaceTarget, type Target, targetKeys, targetQuery } from "@/features/targets/api";
import type { Pinnable } from "@/features/targets/testing/presented";
import { TestPanel } from "@/features/targets/testing/test-panel";
import { differences, type Draft, draftOf, EMPTY, FIELDS, overrideOf, specOf } from "./draft";
import { IdentityFields } from "./identity-fields";
import { SshFields } from "./ssh-fields";
import { StaleEdit } from "./stale-edit";
import { WinrmFields } from "./winrm-fields";

/** What is being edited; null makes a new one. */
export interface Edited {
  target: Target;
  etag: string | null;
}

interface Props {
  edited: Edited | null;
  onSaved: (target: Target, isNew: boolean) => void;
  onCancel: () => void;
  /** What the button of a new target says. */
  saveVerb?: string;
}

const isStale = (error: unknown): boolean => error instanceof Problem && error.code === "stale_edit";

/** Saves under the tag that was read; when somebody was faster, reads what they saved. */
const useSaving = (edited: Edited | null, draft: Draft, onSaved: Props["onSaved"]) => {
  const queries = useQueryClient();
  const [key] = useState(randomKey);
  const [etag, setEtag] = useState(edited?.etag ?? null);
  const [theirs, setTheirs] = useState<Target | null>(null);
  const save = useMutation({
    mutationFn: () => (edited ? replaceTarget(edited.target.id, specOf(draft), etag) : createTarget(specOf(draft), key)),
    onSuccess: ({ data }) => {
      setTheirs(null);
      void queries.invalidateQueries({ queryKey: targetKeys.all });
      void queries.invalidateQueries({ queryKey: ["credentials"] });
      onSaved(data, edited === null);
    },
    onError: async (error) => {
      if (!edited || !isStale(error)) return;
      const fresh = await queries.query({ ...targetQuery(edited.target.id), staleTime: 0 });
      setTheirs(fresh.data);
      setEtag(fresh.etag);
    },
  });
  return { save, theirs, settle: () => { setTheirs(null); save.reset(); } };
};

export const TargetForm = ({ edited, onSaved, onCancel, saveVerb = "Save and test" }: Props) => {
  const [draft, setDraft] = useState(edited ? draftOf(edited.target) : EMPTY);
  const { save, theirs, settle } = useSaving(edited, draft, onSaved);
  const change = (part: Partial<Draft>): void => setDraft((old) => ({ ...old, ...part }));
  const problems = formProblems(isStale(save.error) ? null : save.error, FIELDS);
  const fields = { draft, onChange: change, problems };
  const pick = (seen: Pinnable): void =>
    "host_key" in seen ? change({ ssh: { ...draft.ssh, host_key: seen.host_key } }) : change({ winrm: { ...draft.winrm, fingerprint: seen.fingerprint } });
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    save.mutate();
  };
  const changed = edited !== null && differences(specOf(draftOf(edited.target)), specOf(draft)).length > 0;
  return (
    <form onSubmit={submit} autoComplete="off">
      <Stack gap="sm">
        <IdentityFields {...fields} />
        <Divider label={draft.os === "linux" ? "How SSH reaches it" : "How WinRM reaches it"} labelPosition="left" />
        {draft.os === "linux" ? <SshFields {...fields} /> : <WinrmFields {...fields} />}
        {theirs && (
          <StaleEdit differences={differences(specOf(draftOf(theirs)), specOf(draft))} busy={save.isPending} onMine={() => save.mutate()}
            onTheirs={() => { setDraft(draftOf(theirs)); settle(); }} />
        )}
        <FormAlert text={problems.general} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onCancel}>Cancel</Button>
          {!theirs && <Button type="submit" loading={save.isPending}>{edited ? "Save" : saveVerb}</Button>}
        </Group>
        {edited && (
          <>
            <Divider />
            <Title order={3}>{changed ? "Test what is typed, before saving" : "Test the connection"}</Title>
            <TestPanel targetId={edited.target.id} transport={draft.os === "windows" ? "winrm" : "ssh"}
              override={changed ? () => overrideOf(draft) : undefined} onPick={changed ? pick : undefined} />
          </>
        )}
      </Stack>
    </form>
  );
};
