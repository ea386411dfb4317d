import { useParams } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { LetterPage } from "@/features/queues/letter-page";

export const LetterScreen = (): ReactNode => {
  const { letterId } = useParams({ from: "/shell/queues/letters/$letterId" });
  return <LetterPage key={letterId} letterId={letterId} />;
};
