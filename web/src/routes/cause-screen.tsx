import { useParams } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { CausePage } from "@/features/help/cause-page";

export const CauseScreen = (): ReactNode => {
  const { code } = useParams({ from: "/shell/help/causes/$code" });
  return <CausePage code={code} />;
};
