import { useRouter, useSearch } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";

import { mustChangePassword } from "@/api/session";
import { PasswordPage } from "@/features/access/password-page";

export const PasswordScreen = (): ReactNode => {
  const { to = "/" } = useSearch({ from: "/password" });
  const { history } = useRouter();
  const [forced] = useState(mustChangePassword);
  return <PasswordPage forced={forced} onDone={() => history.replace(to)} />;
};
