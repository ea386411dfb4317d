import { useParams } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { RunPage } from "@/features/runs/run-page";

export const RunScreen = (): ReactNode => {
  const { runId } = useParams({ from: "/shell/runs/$runId" });
  return <RunPage key={runId} runId={runId} />;
};
