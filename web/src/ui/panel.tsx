import { Group, Paper, Title } from "@mantine/core";
import type { ReactNode } from "react";

import { ErrorBoundary } from "./states/error-boundary";

/** A part of a page with a heading; a fault in it stays in it. */
export const Panel = ({ title, actions, children }: { title: string; actions?: ReactNode; children: ReactNode }) => (
  <Paper component="section" withBorder p="sm" aria-label={title}>
    <Group justify="space-between" mb="xs" wrap="nowrap">
      <Title order={2}>{title}</Title>
      {actions}
    </Group>
    <ErrorBoundary>{children}</ErrorBoundary>
  </Paper>
);
