import { ActionIcon, Menu } from "@mantine/core";
import { UserRound } from "lucide-react";

import { useMe } from "@/api/me";
import { legible } from "@/lib/text";
import { toastProblem } from "@/ui/toasts";

import { signOut, signOutEverywhere } from "./api";

interface Props {
  onProfile: () => void;
  onChangePassword: () => void;
  onWelcome: () => void;
  onHelp: () => void;
}

export const UserMenu = ({ onProfile, onChangePassword, onWelcome, onHelp }: Props) => {
  const me = useMe();
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="default" size="md" aria-label="You and your session">
          <UserRound size={16} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{me ? `${legible(me.name ?? me.username)}, ${me.role}` : "…"}</Menu.Label>
        <Menu.Item onClick={onProfile}>Profile and sessions</Menu.Item>
        <Menu.Item onClick={onChangePassword}>Change password</Menu.Item>
        <Menu.Item onClick={onWelcome}>First steps</Menu.Item>
        <Menu.Item onClick={onHelp}>When something fails</Menu.Item>
        <Menu.Divider />
        <Menu.Item onClick={() => void signOut()}>Sign out</Menu.Item>
        <Menu.Item onClick={() => void signOutEverywhere().catch((error: unknown) => toastProblem("You are still signed in", error))}>
          Sign out everywhere
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
};
