import { Group, NumberInput, Select } from "@mantine/core";

import type { Winrm } from "@/features/targets/api";
import { portOf } from "./draft";
import type { FieldsProps } from "./identity-fields";
import { TlsFields } from "./tls-fields";
import { WinrmMore } from "./winrm-more";

const SCHEMES = [{ value: "https", label: "HTTPS" }, { value: "http", label: "HTTP" }];

/** How the account is proved. Total: a new way does not compile until it stands here. */
const TRANSPORT: Readonly<Record<Winrm["transport"], { label: string; hint: string }>> = {
  ntlm: { label: "NTLM", hint: "User name and password; works nearly everywhere." },
  kerberos: { label: "Kerberos", hint: "Domain accounts; the executors need Kerberos set up." },
  credssp: { label: "CredSSP", hint: "Hands the password on, so that commands reach other machines." },
  certificate: { label: "Certificate", hint: "A client certificate instead of a password; HTTPS only." },
  basic: { label: "Basic", hint: "Local accounts; the password goes as it is, so HTTPS only." },
};

const TRANSPORTS = Object.keys(TRANSPORT) as Winrm["transport"][];

/** Why scheme and sign-in do not go together; null when they do. */
const clash = ({ scheme, transport, allow_basic_over_http }: Omit<Winrm, "port">): string | null => {
  if (scheme === "https") return null;
  if (transport === "certificate") return "A certificate can only be shown over HTTPS.";
  return transport === "basic" && !allow_basic_over_http ? "Basic over HTTP sends the password in the clear: choose HTTPS, or NTLM." : null;
};

export const WinrmFields = (props: FieldsProps) => {
  const { draft, onChange, problems } = props;
  const { winrm } = draft;
  const set = (change: Partial<Winrm>): void => onChange({ winrm: { ...winrm, ...change } });
  return (
    <>
      <Group grow align="flex-start">
        <Select label="Scheme" data={SCHEMES} allowDeselect={false} value={winrm.scheme} error={problems.of("winrm.scheme")}
          description={winrm.scheme === "http" ? "Messages are sealed by the sign-in." : "Encrypted by TLS."}
          onChange={(scheme) => set({ scheme: scheme === "http" ? "http" : "https" })} />
        <NumberInput label="Port" description="Empty is the scheme's own." placeholder={String(portOf({ winrmPort: null, winrm }))} min={1} max={65535} allowDecimal={false}
          value={draft.winrmPort ?? ""} onChange={(value) => onChange({ winrmPort: typeof value === "number" ? value : null })} error={problems.of("winrm.port")} />
      </Group>
      <Select label="Sign-in" description={TRANSPORT[winrm.transport].hint} allowDeselect={false} data={TRANSPORTS.map((value) => ({ value, label: TRANSPORT[value].label }))}
        value={winrm.transport} onChange={(transport) => set({ transport: TRANSPORTS.find((known) => known === transport) ?? "ntlm" })}
        error={problems.of("winrm.transport") ?? problems.of("winrm") ?? clash(winrm)} />
      {winrm.scheme === "https" && <TlsFields {...props} />}
      <WinrmMore {...props} />
    </>
  );
};
