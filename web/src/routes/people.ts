/** Users, and oneself. */
import { createRoute } from "@tanstack/react-router";

import { lazyPage } from "./lazy-page";
import { shellRoute } from "./shell-route";

export const usersRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/users",
  component: lazyPage(() => import("@/features/users/users-page"), "UsersPage"),
});

export const meRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/me",
  component: lazyPage(() => import("./me-screen"), "MeScreen"),
});
