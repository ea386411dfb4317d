/** The rooms that show the system itself. */
import { createRoute, redirect } from "@tanstack/react-router";

import { queuesSearch } from "@/features/queues/search";
import { wantsWelcome } from "@/features/targets/first-run/welcome";
import { workersSearch } from "@/features/workers/search";
import { withView } from "@/ui/filters";

import { lazyPage } from "./lazy-page";
import { shellRoute } from "./shell-route";

/** Whoever was led to the first steps once finds the dashboard behind its link. */
let led = false;

/** The first steps for whoever has nothing to run on yet; the dashboard for everybody else. */
export const homeRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/",
  beforeLoad: async () => {
    // When it cannot be found out, the dashboard itself says why.
    const first = !led && (await wantsWelcome().catch(() => false));
    led = true;
    if (first) throw redirect({ to: "/welcome", replace: true });
  },
  component: lazyPage(() => import("@/features/dashboard/dashboard-page"), "DashboardPage"),
});

export const queuesRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/queues",
  validateSearch: withView(queuesSearch),
  component: lazyPage(() => import("@/features/queues/queues-page"), "QueuesPage"),
});

export const letterRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/queues/letters/$letterId",
  component: lazyPage(() => import("./letter-screen"), "LetterScreen"),
});

export const workersRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/workers",
  validateSearch: workersSearch,
  component: lazyPage(() => import("@/features/workers/workers-page"), "WorkersPage"),
});
