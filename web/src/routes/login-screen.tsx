import { useNavigate, useRouter, useSearch } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { LoginPage } from "@/features/access/login-page";

export const LoginScreen = (): ReactNode => {
  const { to = "/" } = useSearch({ from: "/login" });
  const navigate = useNavigate();
  const { history } = useRouter();
  return (
    <LoginPage
      onDone={(mustChange) => {
        if (mustChange) void navigate({ to: "/password", search: { to }, replace: true });
        else history.replace(to);
      }}
    />
  );
};
