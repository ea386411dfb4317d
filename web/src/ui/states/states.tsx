/** The four faces of a room without rows: nothing there yet, nothing found, something wrong, not here yet. */
import { Button, Code, Group, Skeleton, Stack, Text, Title } from "@mantine/core";
import { CircleAlert, Inbox, SearchX } from "lucide-react";
import type { ReactNode } from "react";

import { messageOf, Problem } from "@/lib/problem";

const Face = ({ icon, title, children }: { icon: ReactNode; title: string; children: ReactNode }) => (
  <Stack align="center" gap="xs" py={48} px="md" ta="center">
    <span aria-hidden="true" className="quiet">{icon}</span>
    <Title order={2}>{title}</Title>
    {children}
  </Stack>
);

/** Nothing was ever made. `action` is the next thing to do, `command` the same on the command line. */
export const EmptyState = ({ title, children, action, command }: { title: string; children?: ReactNode; action?: ReactNode; command?: string }) => (
  <Face icon={<Inbox size={32} />} title={title}>
    <Text c="dimmed" maw={520}>{children}</Text>
    {action}
    {command !== undefined && (
      <Text size="sm" c="dimmed">
        On the command line: <Code>{command}</Code>
      </Text>
    )}
  </Face>
);

/** There is something, but not with these filters. */
export const FilteredEmpty = ({ what, onClear }: { what: string; onClear: () => void }) => (
  <Face icon={<SearchX size={32} />} title={`No ${what} match these filters`}>
    <Button variant="default" onClick={onClear}>Clear filters</Button>
  </Face>
);

/** It could not be read. Shows what a person can do, and the request id for whoever reads the log. */
export const ErrorState = ({ error, onRetry }: { error: unknown; onRetry?: () => void }) => (
  <div role="alert">
    <Face icon={<CircleAlert size={32} />} title={error instanceof Problem && error.isMissing ? "Not here" : "This could not be shown"}>
      <Text maw={560}>{messageOf(error)}</Text>
      {error instanceof Problem && error.requestId !== null && (
        <Text size="xs" c="dimmed">Request <span className="mono">{error.requestId}</span></Text>
      )}
      {onRetry && <Button variant="default" onClick={onRetry}>Try again</Button>}
    </Face>
  </div>
);

/** Grey lines where text will be. */
export const Loading = ({ rows = 8, label = "Loading" }: { rows?: number; label?: string }) => (
  <Stack gap={10} p="sm" role="status" aria-label={label}>
    {Array.from({ length: rows }, (_, row) => (
      <Group key={row} gap="md" wrap="nowrap">
        <Skeleton h={14} w={90} />
        <Skeleton h={14} flex={1} />
        <Skeleton h={14} w={120} visibleFrom="sm" />
      </Group>
    ))}
  </Stack>
);
