import { createRoute } from "@tanstack/react-router";

import { logSearch, runSearch, runsSearch } from "@/features/runs/search";
import { withView } from "@/ui/filters";

import { requireSession } from "./entrances";
import { lazyPage } from "./lazy-page";
import { rootRoute } from "./root";
import { shellRoute } from "./shell-route";

export const runsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/runs",
  validateSearch: withView(runsSearch),
  component: lazyPage(() => import("@/features/runs/runs-page"), "RunsPage"),
});

export const runRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/runs/$runId",
  validateSearch: runSearch,
  component: lazyPage(() => import("./run-screen"), "RunScreen"),
});

/** The whole log as one page of text; without the shell, so that it prints and is found in as any text. */
export const logRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/runs/$runId/log",
  validateSearch: logSearch,
  beforeLoad: ({ location }) => requireSession(location.href),
  component: lazyPage(() => import("./log-screen"), "LogScreen"),
});
