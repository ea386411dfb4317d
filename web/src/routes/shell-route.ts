import { createRoute } from "@tanstack/react-router";

import { requireSession } from "./entrances";
import { lazyPage } from "./lazy-page";
import { rootRoute } from "./root";

/** Everything that needs somebody signed in stands below this. */
export const shellRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: "shell",
  beforeLoad: ({ location }) => requireSession(location.href),
  component: lazyPage(() => import("./shell-layout"), "ShellLayout"),
});
