import { useParams, useSearch } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { LogPage } from "@/features/runs/log/log-page";

export const LogScreen = (): ReactNode => {
  const { runId } = useParams({ from: "/runs/$runId/log" });
  const { t, s } = useSearch({ from: "/runs/$runId/log" });
  return <LogPage runId={runId} part={{ target: t, step: s }} />;
};
