/** A target while it is being edited, and back to what the API takes. Pure. */
import type { Ssh, Target, TargetOs, TargetSpec, TestOverride, Winrm } from "@/features/targets/api";

export interface Draft {
  os: TargetOs;
  name: string;
  hostname: string;
  credentialId: string | null;
  pool: string;
  /** `name=value`, or a plain word. */
  tags: string[];
  /** Empty is the scheme's own port. */
  winrmPort: number | null;
  winrm: Omit<Winrm, "port">;
  sshPort: number;
  ssh: Omit<Ssh, "port" | "jump_host">;
  jumpHost: string;
}

export const EMPTY: Draft = {
  os: "linux", name: "", hostname: "", credentialId: null, pool: "default", tags: [],
  winrmPort: null,
  winrm: {
    scheme: "https", path: "/wsman", transport: "ntlm", message_encryption: "auto", allow_basic_over_http: false, kerberos_delegation: false,
    verify_tls: true, oem_codepage: "cp437", max_concurrent: 4,
  },
  sshPort: 22, ssh: { max_concurrent: 10 }, jumpHost: "",
};

export const tagWords = (tags: Readonly<Record<string, string>>): string[] =>
  Object.entries(tags).map(([name, value]) => (value === "" ? name : `${name}=${value}`));

export const tagMap = (words: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    words.map((word) => {
      const [name = "", ...value] = word.split("=");
      return [name.trim(), value.join("=").trim()];
    }),
  );

export const draftOf = (target: Target): Draft => {
  const { port: winrmPort, ...winrm } = target.winrm;
  const { port: sshPort, jump_host, ...ssh } = target.ssh;
  return {
    os: target.os, name: target.name, hostname: target.hostname, credentialId: target.credential_id, pool: target.pool,
    tags: tagWords(target.tags), winrmPort: winrmPort ?? null, winrm, sshPort, ssh, jumpHost: jump_host?.target ?? "",
  };
};

export const portOf = ({ winrmPort, winrm }: Pick<Draft, "winrmPort" | "winrm">): number => winrmPort ?? (winrm.scheme === "https" ? 5986 : 5985);

const blankAsNull = (text: string | null | undefined): string | null => (text === undefined || text === null || text.trim() === "" ? null : text.trim());

const winrmOf = ({ winrmPort, winrm }: Draft): Winrm => ({
  ...winrm, port: winrmPort, ca_bundle: blankAsNull(winrm.ca_bundle), fingerprint: plainFingerprint(winrm.fingerprint),
  proxy: blankAsNull(winrm.proxy), kerberos_hostname_override: blankAsNull(winrm.kerberos_hostname_override),
});

const sshOf = ({ sshPort, ssh, jumpHost }: Draft): Ssh => ({
  ...ssh, port: sshPort, host_key: blankAsNull(ssh.host_key), jump_host: blankAsNull(jumpHost) === null ? null : { target: jumpHost.trim() },
});

/** `AB:CD:…` as browsers and openssl print it becomes the 64 digits that are stored. */
export const plainFingerprint = (text: string | null | undefined): string | null => blankAsNull(text?.replaceAll(":", "").replace(/^sha256/i, "").toLowerCase());

export const specOf = (draft: Draft): TargetSpec => ({
  name: draft.name.trim(),
  os: draft.os,
  hostname: draft.hostname.trim(),
  credential_id: draft.credentialId,
  pool: draft.pool.trim() || "default",
  tags: tagMap(draft.tags),
  winrm: winrmOf(draft),
  ssh: sshOf(draft),
});

/** What a test of the draft has to be told. */
export const overrideOf = (draft: Draft): TestOverride => ({
  hostname: draft.hostname.trim(),
  credential_id: draft.credentialId,
  ...(draft.os === "windows" ? { winrm: winrmOf(draft) } : { ssh: sshOf(draft) }),
});

const LABELS: Readonly<Record<string, string>> = {
  name: "Name", os: "System", hostname: "Address", credential_id: "Credential", pool: "Pool", tags: "Tags",
  "winrm.scheme": "WinRM scheme", "winrm.port": "WinRM port", "winrm.path": "WinRM path", "winrm.transport": "WinRM sign-in",
  "winrm.verify_tls": "Certificate is checked", "winrm.ca_bundle": "Trusted certificates", "winrm.fingerprint": "Pinned certificate",
  "winrm.message_encryption": "Messages sealed", "winrm.proxy": "Proxy", "winrm.allow_basic_over_http": "Basic over HTTP",
  "winrm.kerberos_hostname_override": "Kerberos name", "winrm.kerberos_delegation": "Kerberos delegation",
  "winrm.oem_codepage": "Code page", "winrm.max_concurrent": "WinRM shells at once",
  "ssh.port": "SSH port", "ssh.host_key": "Pinned host key", "ssh.max_concurrent": "SSH sessions at once", "ssh.jump_host": "Jump host",
};

/** The inputs' names, as the API calls the fields. */
export const FIELDS: readonly string[] = Object.keys(LABELS);

export interface Difference {
  field: string;
  label: string;
  theirs: string;
  mine: string;
}

const shown = (value: unknown): string => {
  if (value === null || value === undefined || value === "") return "–";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "string" || typeof value === "number") return String(value);
  const words = Array.isArray(value) ? value.map(String) : tagWords(Object.fromEntries(Object.entries(value).map(([name, each]) => [name, String(each)])));
  return words.length === 0 ? "–" : words.toSorted().join(", ");
};

const read = (spec: TargetSpec, field: string): unknown =>
  field.split(".").reduce<unknown>((value, key) => (typeof value === "object" && value !== null ? (value as Record<string, unknown>)[key] : undefined), spec);

/** Where two descriptions of one target say something else, in the order of the form. */
export const differences = (theirs: TargetSpec, mine: TargetSpec): Difference[] =>
  FIELDS.map((field) => ({ field, label: LABELS[field] ?? field, theirs: shown(read(theirs, field)), mine: shown(read(mine, field)) })).filter(
    (each) => each.theirs !== each.mine,
  );
