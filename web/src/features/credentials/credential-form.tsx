import { Alert, Button, Group, Select, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type SubmitEvent, useState } from "react";

import { randomKey } from "@/lib/ids";
import { FormAlert } from "@/ui/forms/form-alert";
import { formProblems } from "@/ui/forms/problems";

import { createCredential, type Credential, credentialKeys, type CredentialType, type Secrets } from "./api";
import { SecretInputs } from "./secret-inputs";
import { KINDS, TYPES } from "./types";

const FIELDS = ["name", "type", "username", "password", "private_key", "passphrase", "sudo_password", "token", "certificate"];

/** Makes a credential. Its secrets are kept nowhere but in the inputs. */
export const CredentialForm = ({ type: first, onDone, onCancel }: { type: CredentialType; onDone: (made: Credential) => void; onCancel: () => void }) => {
  const queries = useQueryClient();
  const [key] = useState(randomKey);
  const [type, setType] = useState(first);
  const [name, setName] = useState("");
  const [username, setUsername] = useState("");
  const [secrets, setSecrets] = useState<Secrets>({});
  const kind = KINDS[type];
  const create = useMutation({
    mutationFn: () => createCredential({ name: name.trim(), type, username, ...secrets }, key),
    gcTime: 0,
    onSuccess: (made) => {
      void queries.invalidateQueries({ queryKey: credentialKeys.all });
      onDone(made);
    },
  });
  const problems = formProblems(create.error, FIELDS);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    event.stopPropagation(); // it may stand inside another form's dialog
    create.mutate();
  };
  return (
    <form onSubmit={submit} autoComplete="off">
      <Stack gap="sm">
        <Select label="Kind" description={kind.forWhat} allowDeselect={false} data={TYPES.map((value) => ({ value, label: KINDS[value].label }))} value={type}
          onChange={(value) => { if (value) { setType(value); setSecrets({}); } }} />
        <TextInput label="Name" description="What people will call it, such as “Web servers, operator”." required data-autofocus autoComplete="off" value={name}
          onChange={(event) => setName(event.currentTarget.value)} error={problems.of("name")} />
        {kind.username && (
          <TextInput label={kind.username.label} description={kind.username.hint} required={kind.username.required} autoComplete="off" value={username}
            onChange={(event) => setUsername(event.currentTarget.value)} error={problems.of("username")} />
        )}
        <SecretInputs key={type} type={type} secrets={secrets} onChange={setSecrets} problems={problems} />
        <Alert variant="light" color="gray" p="xs">
          <Text size="xs">Secrets are sealed as they arrive and opened only on an executor, for one attempt. Nobody can read them again, you included.</Text>
        </Alert>
        <FormAlert text={problems.general} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onCancel}>Cancel</Button>
          <Button type="submit" loading={create.isPending}>Save credential</Button>
        </Group>
      </Stack>
    </form>
  );
};
