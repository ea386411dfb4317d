import { createRoute } from "@tanstack/react-router";

import { credentialsSearch } from "@/features/credentials/search";
import { withView } from "@/ui/filters";

import { lazyPage } from "./lazy-page";
import { shellRoute } from "./shell-route";

export const credentialsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/credentials",
  validateSearch: withView(credentialsSearch),
  component: lazyPage(() => import("@/features/credentials/credentials-page"), "CredentialsPage"),
});

export const credentialRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/credentials/$credentialId",
  component: lazyPage(() => import("./credential-screen"), "CredentialScreen"),
});
