import { Button, Group, Modal, Text } from "@mantine/core";

import type { OpenQuestion } from "./confirm";

const ConfirmDialog = ({ question }: { question: OpenQuestion | null }) => (
  <Modal opened={question !== null} onClose={() => question?.answer(false)} title={question?.title} closeButtonProps={{ "aria-label": "Close" }}>
    <Text component="div" mb="lg">{question?.text}</Text>
    <Group justify="flex-end">
      <Button variant="default" data-autofocus onClick={() => question?.answer(false)}>Leave it</Button>
      <Button color={question?.danger ? "red" : "indigo"} onClick={() => question?.answer(true)}>{question?.verb}</Button>
    </Group>
  </Modal>
);

export default ConfirmDialog;
