import { Button, Group, Stack, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type SubmitEvent, useState } from "react";

import { Problem } from "@/lib/problem";
import { FormAlert } from "@/ui/forms/form-alert";
import { formProblems } from "@/ui/forms/problems";
import { toastDone } from "@/ui/toasts";

import { changeCredential, type Credential, credentialKeys, credentialQuery } from "./api";
import { KINDS } from "./types";

/** Name and account; the secrets stay as they are. */
export const RenameForm = ({ credential, etag: first, onClose }: { credential: Credential; etag: string | null; onClose: () => void }) => {
  const queries = useQueryClient();
  const [name, setName] = useState(credential.name);
  const [username, setUsername] = useState(credential.username);
  const [etag, setEtag] = useState(first);
  const [theirs, setTheirs] = useState<Credential | null>(null);
  const change = useMutation({
    mutationFn: () => changeCredential(credential.id, { name: name.trim(), username }, etag),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: credentialKeys.all });
      toastDone("Saved.");
      onClose();
    },
    onError: async (error) => {
      if (!(error instanceof Problem && error.code === "stale_edit")) return;
      const fresh = await queries.query({ ...credentialQuery(credential.id), staleTime: 0 });
      setTheirs(fresh.data);
      setEtag(fresh.etag);
    },
  });
  const problems = formProblems(theirs && change.error instanceof Problem && change.error.code === "stale_edit" ? null : change.error, ["name", "username"]);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    change.mutate();
  };
  const differs = theirs
    ? `Somebody else saved it meanwhile: the name is now “${theirs.name}”, the user name “${theirs.username}”. Save once more to put yours in their place.`
    : null;
  const { username: asked } = KINDS[credential.type];
  return (
    <form onSubmit={submit} autoComplete="off">
      <Stack gap="sm">
        <TextInput label="Name" required data-autofocus value={name} onChange={(event) => setName(event.currentTarget.value)} error={problems.of("name")} />
        {asked && (
          <TextInput label={asked.label} description={asked.hint} required={asked.required} autoComplete="off" value={username}
            onChange={(event) => setUsername(event.currentTarget.value)} error={problems.of("username")} />
        )}
        <FormAlert text={differs ?? problems.general} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>Cancel</Button>
          <Button type="submit" loading={change.isPending}>{theirs ? "Save mine" : "Save"}</Button>
        </Group>
      </Stack>
    </form>
  );
};
