import { useParams } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { TargetPage } from "@/features/targets/target-page";

export const TargetScreen = (): ReactNode => {
  const { targetId } = useParams({ from: "/shell/targets/$targetId" });
  return <TargetPage key={targetId} targetId={targetId} />;
};
