import { Alert } from "@mantine/core";

/** What was refused and belongs to no single input. */
export const FormAlert = ({ text }: { text: string | null }) =>
  text === null ? null : (
    <Alert color="red" role="alert" variant="light" styles={{ message: { whiteSpace: "pre-line" } }}>
      {text}
    </Alert>
  );
