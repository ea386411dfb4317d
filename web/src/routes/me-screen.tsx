import { useNavigate } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { MePage } from "@/features/access/me-page";

export const MeScreen = (): ReactNode => {
  const navigate = useNavigate();
  return <MePage onChangePassword={() => void navigate({ to: "/password", search: { to: "/me" } })} />;
};
