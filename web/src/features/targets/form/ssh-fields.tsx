import { Group, NumberInput, Select, Textarea } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";

import { targetChoicesQuery } from "@/features/targets/api";
import type { FieldsProps } from "./identity-fields";

const whole = (value: number | string): number | null => (typeof value === "number" ? value : null);

export const SshFields = ({ draft, onChange, problems }: FieldsProps) => {
  const others = useQuery(targetChoicesQuery).data?.items ?? [];
  const { ssh } = draft;
  const jumps = others.filter(({ os, name }) => os === "linux" && name !== draft.name).map(({ name }) => name);
  const known = draft.jumpHost && !jumps.includes(draft.jumpHost) ? [draft.jumpHost, ...jumps] : jumps;
  return (
    <>
      <Group grow align="flex-start">
        <NumberInput label="Port" min={1} max={65535} allowDecimal={false} value={draft.sshPort}
          onChange={(value) => onChange({ sshPort: whole(value) ?? 22 })} error={problems.of("ssh.port")} />
        <NumberInput label="Sessions at once" description="Of one account, over all executors." min={1} max={100} allowDecimal={false} value={ssh.max_concurrent}
          onChange={(value) => onChange({ ssh: { ...ssh, max_concurrent: whole(value) ?? 10 } })} error={problems.of("ssh.max_concurrent")} />
      </Group>
      <Textarea label="Pinned host key" rows={2} classNames={{ input: "mono" }} spellCheck={false} placeholder="ssh-ed25519 AAAA…"
        description="Leave it empty and test the connection: the test shows the machine's key, and you pin it there. Without a pinned key nothing is sent."
        value={ssh.host_key ?? ""} onChange={(event) => onChange({ ssh: { ...ssh, host_key: event.currentTarget.value } })} error={problems.of("ssh.host_key")} />
      <Select label="Jump host" description="Another target that connections go through, with its own account and key." placeholder="Connect directly" searchable clearable
        clearButtonProps={{ "aria-label": "Connect directly" }} data={known} value={draft.jumpHost || null}
        onChange={(name) => onChange({ jumpHost: name ?? "" })} error={problems.of("ssh.jump_host")} />
    </>
  );
};
