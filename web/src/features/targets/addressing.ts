/** How a target is reached, in words. Pure. */
import type { Target } from "./api";

type Reach = Pick<Target, "os" | "hostname" | "winrm" | "ssh">;

/** IPv6 addresses stand in brackets before a port. */
export const addressOf = ({ os, hostname, winrm, ssh }: Reach): string => {
  const port = os === "windows" ? (winrm.port ?? (winrm.scheme === "https" ? 5986 : 5985)) : ssh.port;
  const host = hostname.includes(":") && !hostname.startsWith("[") ? `[${hostname}]` : hostname;
  return `${host}:${port}`;
};

export const transportOf = ({ os, winrm, ssh }: Reach): string => {
  if (os === "linux") return ssh.jump_host ? `SSH via ${ssh.jump_host.target}` : "SSH";
  return `WinRM ${winrm.scheme}, ${winrm.transport}`;
};

export const OS_WORD: Readonly<Record<Target["os"], string>> = { linux: "Linux", windows: "Windows" };
