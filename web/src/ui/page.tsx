import { Group, Title } from "@mantine/core";
import { type ReactNode, useEffect } from "react";

import { ErrorBoundary } from "./states/error-boundary";

/** A room: one heading, what can be done here at its right, and the browser's title. */
export const Page = ({ title, mark, actions, children }: { title: string; mark?: ReactNode; actions?: ReactNode; children: ReactNode }) => {
  useEffect(() => {
    document.title = `${title} · OpsConductor`;
  }, [title]);
  return (
    <>
      <Group justify="space-between" mb="sm" gap="xs">
        <Group gap="sm">
          <Title order={1}>{title}</Title>
          {mark}
        </Group>
        <Group gap="xs">{actions}</Group>
      </Group>
      <ErrorBoundary>{children}</ErrorBoundary>
    </>
  );
};
