import { Alert, Button, Group, Stack, Table, Text } from "@mantine/core";

import type { Difference } from "./draft";

/** Somebody saved the target meanwhile: what differs, and the choice. */
export const StaleEdit = ({ differences, onTheirs, onMine, busy }: { differences: readonly Difference[]; onTheirs: () => void; onMine: () => void; busy: boolean }) => (
  <Alert color="orange" variant="light" role="alert" title="Somebody else saved this target while you were editing">
    <Stack gap="xs">
      {differences.length === 0 ? (
        <Text>Both say the same. Nothing is left to save.</Text>
      ) : (
        <Table withRowBorders fz="sm">
          <Table.Thead><Table.Tr><Table.Th>Field</Table.Th><Table.Th>Saved now</Table.Th><Table.Th>Yours</Table.Th></Table.Tr></Table.Thead>
          <Table.Tbody>
            {differences.map(({ field, label, theirs, mine }) => (
              <Table.Tr key={field}>
                <Table.Td>{label}</Table.Td>
                <Table.Td style={{ overflowWrap: "anywhere" }}><bdi>{theirs}</bdi></Table.Td>
                <Table.Td style={{ overflowWrap: "anywhere" }}><bdi>{mine}</bdi></Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
      <Group gap="xs">
        <Button variant="default" onClick={onTheirs}>Take what is saved</Button>
        {differences.length > 0 && <Button loading={busy} onClick={onMine}>Save mine over it</Button>}
      </Group>
    </Stack>
  </Alert>
);
