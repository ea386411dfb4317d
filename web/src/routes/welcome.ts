import { createRoute } from "@tanstack/react-router";
import * as z from "zod/mini";

import { lazyPage } from "./lazy-page";
import { shellRoute } from "./shell-route";

export const welcomeRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/welcome",
  validateSearch: z.object({ target: z.catch(z.optional(z.uuid()), undefined) }),
  component: lazyPage(() => import("./welcome-screen"), "WelcomeScreen"),
});
