import { Accordion, Group, NumberInput, Select, Stack, Switch, TextInput } from "@mantine/core";

import type { Winrm } from "@/features/targets/api";
import type { FieldsProps } from "./identity-fields";

const CODEPAGES = ["cp437", "cp850", "cp852", "cp866", "cp932", "cp936", "cp949", "cp950", "cp1252"];

const ENCRYPTION: Readonly<Record<Winrm["message_encryption"], string>> = {
  auto: "Over HTTP", always: "Always, over HTTPS too", never: "Never (HTTPS only)",
};

const FIELDS = ["winrm.path", "winrm.oem_codepage", "winrm.max_concurrent", "winrm.proxy", "winrm.message_encryption", "winrm.kerberos_hostname_override"];

const Kerberos = ({ draft, onChange, problems }: FieldsProps) => (
  <>
    <TextInput label="Name in its service principal" description="HTTP/NAME, where it is not the address above." value={draft.winrm.kerberos_hostname_override ?? ""}
      onChange={(event) => onChange({ winrm: { ...draft.winrm, kerberos_hostname_override: event.currentTarget.value } })} error={problems.of("winrm.kerberos_hostname_override")} />
    <Switch label="Hand the ticket on, so that commands reach other machines as this account" checked={draft.winrm.kerberos_delegation}
      onChange={(event) => onChange({ winrm: { ...draft.winrm, kerberos_delegation: event.currentTarget.checked } })} />
  </>
);

/** What hardly ever has to be changed. */
export const WinrmMore = (props: FieldsProps) => {
  const { draft: { winrm }, onChange, problems } = props;
  const set = (change: Partial<Winrm>): void => onChange({ winrm: { ...winrm, ...change } });
  const wrong = FIELDS.some((field) => problems.of(field) !== null);
  return (
    <Accordion key={wrong ? "wrong" : "fine"} variant="contained" chevronPosition="left" defaultValue={wrong ? "more" : null}>
      <Accordion.Item value="more">
        <Accordion.Control>More settings</Accordion.Control>
        <Accordion.Panel>
          <Stack gap="sm">
            {winrm.transport === "kerberos" && <Kerberos {...props} />}
            <Group grow align="flex-start">
              <Select label="Code page" description="For output that is not UTF-8." searchable allowDeselect={false} data={[...new Set([...CODEPAGES, winrm.oem_codepage])]} value={winrm.oem_codepage}
                onChange={(oem_codepage) => set({ oem_codepage: oem_codepage ?? "cp437" })} error={problems.of("winrm.oem_codepage")} />
              <NumberInput label="Shells at once" description="Of one account on this machine." min={1} max={100} allowDecimal={false} value={winrm.max_concurrent}
                onChange={(value) => set({ max_concurrent: typeof value === "number" ? value : 4 })} error={problems.of("winrm.max_concurrent")} />
            </Group>
            <Group grow align="flex-start">
              <TextInput label="Path" description="Behind a gateway it may differ." value={winrm.path} onChange={(event) => set({ path: event.currentTarget.value })} error={problems.of("winrm.path")} />
              <TextInput label="Proxy" description="To go through; none otherwise." placeholder="http://proxy:3128" value={winrm.proxy ?? ""}
                onChange={(event) => set({ proxy: event.currentTarget.value })} error={problems.of("winrm.proxy")} />
            </Group>
            <Select label="Messages sealed by the sign-in's own key" allowDeselect={false} data={Object.entries(ENCRYPTION).map(([value, label]) => ({ value, label }))} value={winrm.message_encryption}
              onChange={(value) => set({ message_encryption: (value ?? "auto") as Winrm["message_encryption"] })} error={problems.of("winrm.message_encryption")} />
          </Stack>
        </Accordion.Panel>
      </Accordion.Item>
    </Accordion>
  );
};
