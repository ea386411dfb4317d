import { Button, Modal, Stack, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type SubmitEvent, useState } from "react";

import { meQuery } from "@/api/me";
import { end } from "@/api/session";
import { FormAlert } from "@/ui/forms/form-alert";
import { formProblems } from "@/ui/forms/problems";

import { signIn } from "./api";
import { PasswordField } from "./password-field";

const ABOVE_ALL = 10_000;

/** Covers the page, which stays as it is below, until the same user has signed in again or leaves. */
export const Reentry = () => {
  const username = useQueryClient().getQueryData(meQuery.queryKey)?.username;
  const [password, setPassword] = useState("");
  const login = useMutation({ mutationFn: (name: string) => signIn(name, password) });
  const problems = formProblems(login.error, ["password"]);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    event.stopPropagation(); // a form below is none of its business
    if (username === undefined) end();
    else login.mutate(username);
  };
  return (
    <Modal opened onClose={() => undefined} title="Your session has ended" fullScreen withCloseButton={false} closeOnEscape={false} zIndex={ABOVE_ALL}>
      <form onSubmit={submit}>
        <Stack maw={420} mx="auto" mt="xl">
          <Text>Sign in again as <b>{username}</b> to go on where you were. What you have typed is still there.</Text>
          <PasswordField label="Password" autoComplete="current-password" required data-autofocus value={password}
            onChange={(event) => setPassword(event.currentTarget.value)} error={problems.of("password")} />
          <FormAlert text={problems.general} />
          <Button type="submit" size="sm" loading={login.isPending}>Sign in and go on</Button>
          <Button variant="subtle" size="sm" onClick={end}>Leave this page</Button>
        </Stack>
      </form>
    </Modal>
  );
};
