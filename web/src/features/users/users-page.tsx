import { Button, Group, Modal } from "@mantine/core";
import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useMemo, useState } from "react";

import { useMe, useRefusal } from "@/api/me";
import { Allowed } from "@/ui/allowed";
import { confirm } from "@/ui/confirm";
import { Page } from "@/ui/page";
import { EmptyState, ErrorState, Loading } from "@/ui/states/states";
import type { StatusLook } from "@/ui/status";
import { StatusMark } from "@/ui/status-badge";
import { type Column, DataTable } from "@/ui/table/data-table";
import { Ago } from "@/ui/time";
import { toastDone, toastProblem } from "@/ui/toasts";

import { changeUser, type User, userKeys, usersQuery } from "./api";
import { ROLE } from "./roles";
import { CreateUser, EditUser, ResetPassword } from "./user-forms";
import classes from "./users.module.css";

const ACTIVE: StatusLook = { word: "Active", glyph: "●", tone: "ok", meaning: "May sign in." };
const FRESH: StatusLook = { word: "New password", glyph: "◷", tone: "wait", meaning: "Has a one-time password and has to choose another." };
const INACTIVE: StatusLook = { word: "Deactivated", glyph: "⊘", tone: "off", meaning: "May not sign in; what they did keeps their name." };

const standingOf = ({ active, must_change_password }: User): StatusLook => (!active ? INACTIVE : must_change_password ? FRESH : ACTIVE);

type Open = { what: "create" } | { what: "edit" | "reset"; user: User } | null;

/** Why nobody may take this user out; null when one may. */
const keptBecause = (user: User, users: readonly User[], me: string | undefined): string | null => {
  if (!user.active) return null;
  if (user.id === me) return "You cannot deactivate yourself.";
  const admins = users.filter(({ active, role }) => active && role === "admin");
  return user.role === "admin" && admins.length === 1 ? "The last administrator stays." : null;
};

const columnsOf = (show: (open: Open) => void, toggle: (user: User) => void, kept: (user: User) => string | null): readonly Column<User>[] => [
  { id: "standing", header: "Standing", width: "138px", cell: (user) => <StatusMark look={standingOf(user)} /> },
  { id: "username", header: "User name", width: "minmax(120px, 1fr)", cell: ({ username }) => <bdi title={username}>{username}</bdi> },
  { id: "name", header: "Name", width: "minmax(120px, 1fr)", from: 700, cell: ({ name }) => name === null ? <span className="quiet">–</span> : <bdi title={name}>{name}</bdi> },
  { id: "role", header: "Role", width: "120px", from: 420, cell: ({ role }) => <span title={ROLE[role].may}>{ROLE[role].word}</span> },
  { id: "since", header: "Since", width: "110px", from: 900, cell: ({ created_at }) => <Ago at={created_at} /> },
  {
    id: "do", header: "Actions", width: "270px", end: true, from: 620,
    cell: (user) => (
      <>
        <Allowed permission="users:write"><button type="button" className={classes.act} onClick={() => show({ what: "edit", user })} aria-label={`Edit ${user.username}`}>Edit</button></Allowed>
        <Allowed permission="users:write"><button type="button" className={classes.act} onClick={() => show({ what: "reset", user })} aria-label={`New password for ${user.username}`}>New password</button></Allowed>
        <Allowed permission="users:write" unless={kept(user)}><button type="button" className={classes.act} onClick={() => toggle(user)} aria-label={`${user.active ? "Deactivate" : "Reactivate"} ${user.username}`}>{user.active ? "Deactivate" : "Reactivate"}</button></Allowed>
      </>
    ),
  },
];

const TITLE = { create: "New user", edit: "Edit", reset: "New password for" } as const;

export const UsersPage = (): ReactNode => {
  const queries = useQueryClient();
  const me = useMe();
  const refusal = useRefusal("users:read");
  const query = useInfiniteQuery({ ...usersQuery, enabled: refusal === null });
  const [open, setOpen] = useState<Open>(null);
  const users = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data]);
  const close = (): void => setOpen(null);
  const activate = useMutation({
    mutationFn: (user: User) => changeUser(user, { active: !user.active }),
    onSuccess: (user) => toastDone(`${user.username} is ${user.active ? "active again" : "deactivated; every session has ended"}.`),
    onError: (error) => toastProblem("Nothing was changed", error),
    onSettled: () => queries.invalidateQueries({ queryKey: userKeys.all }),
  });
  const toggle = async (user: User): Promise<void> => {
    const yes = !user.active || (await confirm({ title: `Deactivate ${user.username}?`, text: "Their sessions end at once and they cannot sign in. Runs and the audit trail keep their name; you can reactivate them.", verb: "Deactivate", danger: true }));
    if (yes) activate.mutate(user);
  };
  const rows = (): ReactNode => {
    if (me && refusal !== null) return <EmptyState title="Not for this role">{refusal}</EmptyState>;
    if (query.isPending) return <Loading label="Loading users" />;
    if (query.isError) return <ErrorState error={query.error} onRetry={() => void query.refetch()} />;
    return (
      <DataTable label="Users" rows={users} columns={columnsOf(setOpen, (user) => void toggle(user), (user) => keptBecause(user, users, me?.id))} idOf={(user) => user.id}
        onOpen={(user) => setOpen({ what: "edit", user })} hasMore={query.hasNextPage} onEnd={() => void query.fetchNextPage()} />
    );
  };
  return (
    <Page title="Users" actions={<Allowed permission="users:write"><Button onClick={() => setOpen({ what: "create" })}>Add user</Button></Allowed>}>
      {rows()}
      <Modal opened={open !== null} onClose={close} closeOnClickOutside={false} closeButtonProps={{ "aria-label": "Close" }}
        title={open && (open.what === "create" ? TITLE.create : `${TITLE[open.what]} ${open.user.username}`)}>
        {open?.what === "create" && <CreateUser onClose={close} />}
        {open?.what === "edit" && (
          <EditUser user={open.user} onClose={close} more={
            <Group gap="xs">
              <Button variant="subtle" onClick={() => setOpen({ what: "reset", user: open.user })}>New password…</Button>
              <Allowed permission="users:write" unless={keptBecause(open.user, users, me?.id)}>
                <Button variant="subtle" color="red" onClick={() => { close(); void toggle(open.user); }}>{open.user.active ? "Deactivate…" : "Reactivate"}</Button>
              </Allowed>
            </Group>
          } />
        )}
        {open?.what === "reset" && <ResetPassword user={open.user} onClose={close} />}
      </Modal>
    </Page>
  );
};
