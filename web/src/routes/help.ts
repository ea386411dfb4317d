/** What failures mean. */
import { createRoute } from "@tanstack/react-router";

import { lazyPage } from "./lazy-page";
import { shellRoute } from "./shell-route";

export const causesRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/help/causes",
  component: lazyPage(() => import("@/features/help/causes-page"), "CausesPage"),
});

export const causeRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/help/causes/$code",
  component: lazyPage(() => import("./cause-screen"), "CauseScreen"),
});
