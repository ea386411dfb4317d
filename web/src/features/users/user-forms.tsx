import { Button, Group, Select, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, type SubmitEvent, useState } from "react";

import type { Role } from "@/api/me";
import { randomKey } from "@/lib/ids";
import { FormAlert } from "@/ui/forms/form-alert";
import { formProblems } from "@/ui/forms/problems";

import { changeUser, createUser, type User, userKeys } from "./api";
import { HandOver } from "./hand-over";
import { oneTimePassword } from "./one-time-password";
import { ROLE, ROLE_CHOICES } from "./roles";

const RoleSelect = ({ role, onChange, error }: { role: Role; onChange: (role: Role) => void; error: string | null }) => (
  <Select label="Role" description={ROLE[role].may} allowDeselect={false} data={ROLE_CHOICES} value={role} onChange={(value) => value && onChange(value)} error={error} />
);

/** A new user with a password made here, shown once. */
export const CreateUser = ({ onClose }: { onClose: () => void }) => {
  const queries = useQueryClient();
  const [key] = useState(randomKey);
  const [password] = useState(oneTimePassword);
  const [username, setUsername] = useState("");
  const [role, setRole] = useState<Role>("operator");
  const create = useMutation({
    mutationFn: () => createUser({ username: username.trim(), role, password, must_change_password: true }, key),
    onSuccess: () => queries.invalidateQueries({ queryKey: userKeys.all }),
  });
  const problems = formProblems(create.error, ["username", "role"]);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    create.mutate();
  };
  if (create.data) return <HandOver username={create.data.username} password={password} onClose={onClose} />;
  return (
    <form onSubmit={submit} autoComplete="off">
      <Stack gap="sm">
        <TextInput label="User name" description="Letters, digits and . _ @ -" required data-autofocus autoComplete="off" value={username}
          onChange={(event) => setUsername(event.currentTarget.value)} error={problems.of("username")} />
        <RoleSelect role={role} onChange={setRole} error={problems.of("role")} />
        <Text size="sm" c="dimmed">A one-time password is made and shown to you once; at the first sign-in it has to be replaced.</Text>
        <FormAlert text={problems.general} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>Cancel</Button>
          <Button type="submit" loading={create.isPending}>Create user</Button>
        </Group>
      </Stack>
    </form>
  );
};

/** Name and role, and what else can be done with the user. */
export const EditUser = ({ user, onClose, more }: { user: User; onClose: () => void; more: ReactNode }) => {
  const queries = useQueryClient();
  const [name, setName] = useState(user.name ?? "");
  const [role, setRole] = useState(user.role);
  const change = useMutation({
    mutationFn: () => changeUser(user, { name: name.trim() || null, role }),
    onSuccess: onClose,
    onSettled: () => queries.invalidateQueries({ queryKey: userKeys.all }),
  });
  const problems = formProblems(change.error, ["name", "role"]);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    change.mutate();
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <TextInput label="Full name" data-autofocus value={name} onChange={(event) => setName(event.currentTarget.value)} error={problems.of("name")} />
        <RoleSelect role={role} onChange={setRole} error={problems.of("role")} />
        {more}
        <FormAlert text={problems.general} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>Cancel</Button>
          <Button type="submit" loading={change.isPending}>Save</Button>
        </Group>
      </Stack>
    </form>
  );
};

/** A new one-time password for somebody who lost theirs; their sessions end. */
export const ResetPassword = ({ user, onClose }: { user: User; onClose: () => void }) => {
  const queries = useQueryClient();
  const [password] = useState(oneTimePassword);
  const reset = useMutation({ mutationFn: () => changeUser(user, { password }), onSettled: () => queries.invalidateQueries({ queryKey: userKeys.all }) });
  if (reset.data) return <HandOver username={user.username} password={password} onClose={onClose} />;
  return (
    <Stack gap="sm">
      <Text>The old password stops working and every session of <bdi>{user.username}</bdi> ends. You are shown a one-time password to pass on.</Text>
      <FormAlert text={formProblems(reset.error, []).general} />
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose}>Cancel</Button>
        <Button loading={reset.isPending} onClick={() => reset.mutate()}>Make a new password</Button>
      </Group>
    </Stack>
  );
};
