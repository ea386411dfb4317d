import { createRoute } from "@tanstack/react-router";

import { targetsSearch } from "@/features/targets/search";
import { withView } from "@/ui/filters";

import { lazyPage } from "./lazy-page";
import { shellRoute } from "./shell-route";

export const targetsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/targets",
  validateSearch: withView(targetsSearch),
  component: lazyPage(() => import("@/features/targets/targets-page"), "TargetsPage"),
});

export const importRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/targets/import",
  component: lazyPage(() => import("@/features/targets/import/import-page"), "ImportPage"),
});

export const targetRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/targets/$targetId",
  component: lazyPage(() => import("./target-screen"), "TargetScreen"),
});
