import { Alert, Switch, Textarea, TextInput } from "@mantine/core";

import type { Winrm } from "@/features/targets/api";
import type { FieldsProps } from "./identity-fields";

/** Whether the machine is the one it says it is. */
export const TlsFields = ({ draft, onChange, problems }: FieldsProps) => {
  const { winrm } = draft;
  const set = (change: Partial<Winrm>): void => onChange({ winrm: { ...winrm, ...change } });
  return (
    <>
      <Switch label="Check the machine's certificate" checked={winrm.verify_tls} onChange={(event) => set({ verify_tls: event.currentTarget.checked })} />
      {winrm.verify_tls ? (
        <>
          <TextInput label="Pinned certificate" placeholder="SHA-256 fingerprint" classNames={{ input: "mono" }} spellCheck={false}
            description="For a self-signed certificate: leave it empty and test the connection, which shows it for pinning. When set, no other certificate is accepted."
            value={winrm.fingerprint ?? ""} onChange={(event) => set({ fingerprint: event.currentTarget.value })} error={problems.of("winrm.fingerprint")} />
          <Textarea label="Trusted certificates (PEM)" description="Your own authority's, instead of the system's." rows={2} classNames={{ input: "mono" }} spellCheck={false}
            placeholder="-----BEGIN CERTIFICATE-----" value={winrm.ca_bundle ?? ""} onChange={(event) => set({ ca_bundle: event.currentTarget.value })} error={problems.of("winrm.ca_bundle")} />
        </>
      ) : (
        <Alert color="red" variant="light" role="alert" title="Anybody in between could pose as this machine">
          The password is then handed to whoever answers. Pinning its certificate is as quick, and safe: check it, leave the fingerprint empty and test the connection.
          Leaving this off is noted in the audit trail, and the target carries a warning.
        </Alert>
      )}
    </>
  );
};
