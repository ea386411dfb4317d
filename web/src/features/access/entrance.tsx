import { Paper, Stack, Title } from "@mantine/core";
import { type ReactNode, useEffect } from "react";

/** The frame of the pages before the shell. */
export const Entrance = ({ title, children }: { title: string; children: ReactNode }) => {
  useEffect(() => {
    document.title = `${title} · OpsConductor`;
  }, [title]);
  return (
    <main style={{ display: "grid", placeItems: "center", minHeight: "100dvh", padding: 16 }}>
      <Stack w="100%" maw={380} gap="lg">
        <img src="/favicon.svg" alt="" width={44} height={44} />
        <Title order={1}>{title}</Title>
        <Paper withBorder p="lg">{children}</Paper>
      </Stack>
    </main>
  );
};
