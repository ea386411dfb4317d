import { Link, Outlet, useNavigate } from "@tanstack/react-router";
import { type ReactNode, useMemo } from "react";

import { UserMenu } from "@/features/access/user-menu";
import { CredentialDialogHost } from "@/features/credentials/credential-dialog-host";
import { useJobCommands } from "@/features/jobs/palette";
import { RunDialogHost } from "@/features/jobs/run-dialog-host";
import { type Command, useCommands } from "@/ui/commands";
import { type KeyGroup, KeySheet } from "@/ui/shell/key-sheet";
import { Shell } from "@/ui/shell/shell";

import { useGoKeys } from "./go-keys";
import { ROOMS } from "./rooms";

const KEYS: readonly KeyGroup[] = [
  { title: "Go to", keys: ROOMS.map(({ key, label }) => [`g ${key}`, label]) },
  { title: "In dead letters", keys: [["r", "replay the row"], ["d", "discard the row"]] },
];

export const ShellLayout = (): ReactNode => {
  const navigate = useNavigate();
  useGoKeys();
  useJobCommands();
  useCommands(
    useMemo<Command[]>(
      () =>
        [
          ...ROOMS.map(({ to, label, key }) => ({ id: `go${to}`, label, group: "Go to", hint: `g ${key}`, run: () => void navigate({ to }) })),
          { id: "go/me", label: "Your profile and sessions", group: "Go to", run: () => void navigate({ to: "/me" }) },
          { id: "go/causes", label: "When something fails: what causes mean", group: "Go to", keywords: ["help", "error", "cause"], run: () => void navigate({ to: "/help/causes" }) },
          { id: "go/welcome", label: "First steps", group: "Go to", keywords: ["welcome", "first run"], run: () => void navigate({ to: "/welcome" }) },
        ],
      [navigate],
    ),
  );
  return (
    <Shell
      brand={(className) => <Link to="/" className={className}>OpsConductor</Link>}
      navigation={(close, className) =>
        ROOMS.map(({ to, label, Icon }) => (
          <Link key={to} to={to} className={className} onClick={close} activeOptions={{ includeSearch: false, exact: to === "/" }}>
            <Icon size={17} aria-hidden="true" />
            {label}
          </Link>
        ))
      }
      user={
        <UserMenu onProfile={() => void navigate({ to: "/me" })} onChangePassword={() => void navigate({ to: "/password" })}
          onWelcome={() => void navigate({ to: "/welcome" })} onHelp={() => void navigate({ to: "/help/causes" })} />
      }
    >
      <Outlet />
      <CredentialDialogHost />
      <RunDialogHost />
      <KeySheet groups={KEYS} />
    </Shell>
  );
};
