import { Button, Group, Stack, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type SubmitEvent, useState } from "react";

import { FormAlert } from "@/ui/forms/form-alert";
import { formProblems } from "@/ui/forms/problems";
import { toastDone } from "@/ui/toasts";

import { type Credential, credentialKeys, rotateCredential, type Secrets } from "./api";
import { SecretInputs } from "./secret-inputs";

const FIELDS = ["password", "private_key", "passphrase", "sudo_password", "token", "certificate"];

/** New secrets under the same name: everything that uses the credential takes them at its next attempt. */
export const RotateForm = ({ credential, onClose }: { credential: Credential; onClose: () => void }) => {
  const queries = useQueryClient();
  const [secrets, setSecrets] = useState<Secrets>({});
  const rotate = useMutation({
    mutationFn: () => rotateCredential(credential.id, secrets),
    gcTime: 0,
    onSuccess: ({ version }) => {
      void queries.invalidateQueries({ queryKey: credentialKeys.all });
      void queries.invalidateQueries({ queryKey: ["targets"] });
      toastDone(`${credential.name} has version ${version} now; every hold has ended.`);
      onClose();
    },
  });
  const problems = formProblems(rotate.error, FIELDS);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    rotate.mutate();
  };
  return (
    <form onSubmit={submit} autoComplete="off">
      <Stack gap="sm">
        <Text>
          Version {credential.version + 1} takes the place of all secrets of version {credential.version}. Attempts under way end with the old one. Every hold ends.
        </Text>
        <SecretInputs type={credential.type} secrets={secrets} onChange={setSecrets} problems={problems} />
        <FormAlert text={problems.general} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>Cancel</Button>
          <Button type="submit" loading={rotate.isPending}>Rotate</Button>
        </Group>
      </Stack>
    </form>
  );
};
