import { useNavigate, useSearch } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { WelcomePage } from "@/features/targets/first-run/welcome-page";

export const WelcomeScreen = (): ReactNode => {
  const { target } = useSearch({ from: "/shell/welcome" });
  const navigate = useNavigate();
  return <WelcomePage targetId={target ?? null} onTarget={(id) => void navigate({ to: "/welcome", search: id === null ? {} : { target: id } })} />;
};
