import { Autocomplete, Button, Group, SegmentedControl, Select, TagsInput, TextInput } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";

import { askCredential, credentialChoicesQuery } from "@/features/credentials/api";
import { Allowed } from "@/ui/allowed";
import type { FormProblems } from "@/ui/forms/problems";

import { pickerQuery, type TargetOs } from "@/features/targets/api";
import { type Draft, tagWords } from "./draft";

export interface FieldsProps {
  draft: Draft;
  onChange: (change: Partial<Draft>) => void;
  problems: FormProblems;
}

const SYSTEMS = [
  { value: "linux", label: "Linux, over SSH" },
  { value: "windows", label: "Windows, over WinRM" },
];

/** The kind of account that is let in. */
const kindOf = ({ os, winrm }: Draft) => (os === "linux" ? "ssh" : winrm.transport === "certificate" ? "certificate" : "winrm");

const CredentialPicker = ({ draft, onChange, problems }: FieldsProps) => {
  const queries = useQueryClient();
  const kind = kindOf(draft);
  const known = (useQuery(credentialChoicesQuery).data?.items ?? []).filter(({ type, id }) => type === kind || id === draft.credentialId);
  const add = async (): Promise<void> => {
    const made = await askCredential(kind);
    if (!made) return;
    queries.setQueryData(credentialChoicesQuery.queryKey, (listed) => listed && { ...listed, items: [...listed.items.filter(({ id }) => id !== made.id), made] });
    onChange({ credentialId: made.id }); // at once, not when the list was read anew: whoever saves next means this one
  };
  return (
    <Group align="flex-end" gap="xs" wrap="nowrap">
      <Select label="Credential" description="The account that signs in there." placeholder="None yet" searchable clearable flex={1}
        clearButtonProps={{ "aria-label": "No credential" }} nothingFoundMessage="None of this kind"
        data={known.map(({ id, name, username }) => ({ value: id, label: username ? `${name} (${username})` : name }))}
        value={draft.credentialId} onChange={(credentialId) => onChange({ credentialId })} error={problems.of("credential_id")} />
      <Allowed permission="credentials:write">
        <Button variant="default" size="sm" onClick={() => void add()}>New credential…</Button>
      </Allowed>
    </Group>
  );
};

/** What every target has, whatever it speaks. */
export const IdentityFields = (props: FieldsProps) => {
  const { draft, onChange, problems } = props;
  const picker = useQuery(pickerQuery).data;
  return (
    <>
      <SegmentedControl aria-label="System" fullWidth data={SYSTEMS} value={draft.os}
        onChange={(os) => onChange({ os: os as TargetOs, credentialId: null })} />
      <Group grow align="flex-start">
        <TextInput label="Name" description="What jobs and people call it." placeholder={draft.os === "linux" ? "web-1" : "SQL-01"} required data-autofocus value={draft.name}
          onChange={(event) => onChange({ name: event.currentTarget.value })} error={problems.of("name")} />
        <TextInput label="Address" description="A DNS name or an IP address." placeholder="10.0.0.12" required value={draft.hostname}
          onChange={(event) => onChange({ hostname: event.currentTarget.value })} error={problems.of("hostname")} />
      </Group>
      <CredentialPicker {...props} />
      <Group grow align="flex-start">
        <Autocomplete label="Pool" description="Executors of this pool reach it." data={picker?.pools.map(({ name }) => name) ?? []} value={draft.pool}
          onChange={(pool) => onChange({ pool })} error={problems.of("pool")} />
        <TagsInput label="Tags" description="A word, or name=value; Enter adds." placeholder={draft.tags.length === 0 ? "env=prod" : ""} acceptValueOnBlur
          data={[...new Set(picker?.tags.flatMap(({ name, value }) => tagWords({ [name]: value })) ?? [])]} value={draft.tags}
          onChange={(tags) => onChange({ tags })} error={problems.of("tags")} />
      </Group>
    </>
  );
};
