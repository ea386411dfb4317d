import { Button, Stack, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type ReactNode, type SubmitEvent, useState } from "react";

import { FormAlert } from "@/ui/forms/form-alert";
import { formProblems } from "@/ui/forms/problems";

import { signIn } from "./api";
import { Entrance } from "./entrance";
import { PasswordField } from "./password-field";

const FIELDS = ["username", "password"];

/** `onDone` is told whether a password has to be chosen first. */
export const LoginPage = ({ onDone }: { onDone: (mustChangePassword: boolean) => void }): ReactNode => {
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const login = useMutation({
    mutationFn: () => signIn(username, password),
    onSuccess: (tokens) => onDone(tokens.must_change_password),
  });
  const problems = formProblems(login.error, FIELDS);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    login.mutate();
  };
  return (
    <Entrance title="Sign in to OpsConductor">
      <form onSubmit={submit}>
        <Stack>
          <TextInput label="User name" autoComplete="username" autoFocus required value={username}
            onChange={(event) => setUsername(event.currentTarget.value)} error={problems.of("username")} />
          <PasswordField label="Password" autoComplete="current-password" required value={password}
            onChange={(event) => setPassword(event.currentTarget.value)} error={problems.of("password")} />
          <FormAlert text={problems.general} />
          <Button type="submit" size="sm" loading={login.isPending}>Sign in</Button>
        </Stack>
      </form>
    </Entrance>
  );
};
