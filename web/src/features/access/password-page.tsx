import { Button, Stack, Text } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type ReactNode, type SubmitEvent, useState } from "react";

import { FormAlert } from "@/ui/forms/form-alert";
import { formProblems } from "@/ui/forms/problems";

import { changePassword } from "./api";
import { Entrance } from "./entrance";
import { PasswordField } from "./password-field";

const FIELDS = ["current_password", "new_password"];

/** `forced`: the password was given by somebody else and opens nothing but this page. */
export const PasswordPage = ({ forced, onDone }: { forced: boolean; onDone: () => void }): ReactNode => {
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const [again, setAgain] = useState("");
  const change = useMutation({ mutationFn: () => changePassword(current, next), onSuccess: onDone });
  const problems = formProblems(change.error, FIELDS);
  const differs = again !== "" && again !== next ? "The two are not the same." : null;
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    if (differs === null) change.mutate();
  };
  return (
    <Entrance title={forced ? "Choose your password" : "Change your password"}>
      <form onSubmit={submit}>
        <Stack>
          <Text c="dimmed">
            {forced ? "The one you signed in with was made for you. Choose one that only you know." : "Your other sessions will end."}
          </Text>
          <PasswordField label="Current password" autoComplete="current-password" autoFocus required value={current}
            onChange={(event) => setCurrent(event.currentTarget.value)} error={problems.of("current_password")} />
          <PasswordField label="New password" autoComplete="new-password" required value={next} description="At least 12 characters; a few unrelated words are good."
            onChange={(event) => setNext(event.currentTarget.value)} error={problems.of("new_password")} />
          <PasswordField label="New password again" autoComplete="new-password" required value={again}
            onChange={(event) => setAgain(event.currentTarget.value)} error={differs} />
          <FormAlert text={problems.general} />
          <Button type="submit" size="sm" loading={change.isPending}>Set password</Button>
        </Stack>
      </form>
    </Entrance>
  );
};
