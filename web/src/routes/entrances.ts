/** The pages before the shell. */
import { createRoute, redirect } from "@tanstack/react-router";
import * as z from "zod/mini";

import { isSignedIn, mustChangePassword } from "@/api/session";

import { lazyPage } from "./lazy-page";
import { rootRoute } from "./root";

/** Where to go afterwards: only into this application. */
const returning = z.object({ to: z.catch(z.optional(z.string().check(z.regex(/^\/(?![/\\])/))), undefined) });

export const loginRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/login",
  validateSearch: returning,
  component: lazyPage(() => import("./login-screen"), "LoginScreen"),
});

export const passwordRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/password",
  validateSearch: returning,
  beforeLoad: ({ location }) => {
    if (!isSignedIn()) throw redirect({ to: "/login", search: { to: location.href } });
  },
  component: lazyPage(() => import("./password-screen"), "PasswordScreen"),
});

/** What a page inside the shell asks before it is shown. */
export const requireSession = (href: string): void => {
  if (!isSignedIn()) throw redirect({ to: "/login", search: { to: href } });
  if (mustChangePassword()) throw redirect({ to: "/password", search: { to: href } });
};
