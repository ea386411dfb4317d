import { Alert, Button, Code, CopyButton, Group, Stack, Text } from "@mantine/core";

/** A one-time password, shown this once. */
export const HandOver = ({ username, password, onClose }: { username: string; password: string; onClose: () => void }) => (
  <Stack gap="sm">
    <Text>Give <bdi>{username}</bdi> this password. It is shown only now, and opens nothing but the page to choose another.</Text>
    <Alert variant="light" color="gray">
      <Group justify="space-between">
        <Code fz="md" style={{ userSelect: "all" }}>{password}</Code>
        <CopyButton value={password}>{({ copied, copy }) => <Button variant="default" onClick={copy}>{copied ? "Copied" : "Copy"}</Button>}</CopyButton>
      </Group>
    </Alert>
    <Group justify="flex-end"><Button data-autofocus onClick={onClose}>Done</Button></Group>
  </Stack>
);
