import { createRouter } from "@tanstack/react-router";

import { isSignedIn, onSessionChange } from "@/api/session";

import { credentialRoute, credentialsRoute } from "./credentials";
import { loginRoute, passwordRoute } from "./entrances";
import { causeRoute, causesRoute } from "./help";
import { editJobRoute, jobRoute, jobsRoute, newJobRoute } from "./jobs";
import { PageFault } from "./page-fault";
import { meRoute, usersRoute } from "./people";
import { rootRoute } from "./root";
import { logRoute, runRoute, runsRoute } from "./runs";
import { shellRoute } from "./shell-route";
import { homeRoute, letterRoute, queuesRoute, workersRoute } from "./system";
import { importRoute, targetRoute, targetsRoute } from "./targets";
import { welcomeRoute } from "./welcome";

const routeTree = rootRoute.addChildren([
  loginRoute,
  passwordRoute,
  logRoute,
  shellRoute.addChildren([
    homeRoute,
    runsRoute, runRoute,
    jobsRoute, newJobRoute, jobRoute, editJobRoute,
    targetsRoute, importRoute, targetRoute,
    credentialsRoute, credentialRoute,
    usersRoute, meRoute,
    queuesRoute, letterRoute, workersRoute,
    causesRoute, causeRoute,
    welcomeRoute,
  ]),
]);

export const router = createRouter({ routeTree, defaultPreload: "intent", defaultErrorComponent: PageFault, scrollRestoration: true });

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}

/** Whoever is signed out, here or in another tab, comes to the entrance and later back to where they were. */
onSessionChange(() => {
  if (isSignedIn() || router.state.location.pathname === "/login") return;
  void router.navigate({ to: "/login", search: { to: router.state.location.href } });
});
