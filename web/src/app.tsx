import { MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { lazy, Suspense } from "react";

import { makeQueryClient } from "@/api/query-client";
import { isSignedIn, onSessionChange } from "@/api/session";
import { ReentryHost } from "@/features/access/reentry-host";
import { router } from "@/routes/router";
import { Confirming } from "@/ui/confirm";
import { cssVariables, theme } from "@/ui/theme";

const ToastStack = lazy(() => import("@/ui/toast-stack"));

const queries = makeQueryClient();

// The next person at this browser sees nothing of the one before.
onSessionChange(() => {
  if (!isSignedIn()) queries.clear();
});

/** `nonce` lets the styles in that are made at run time. */
export const App = ({ nonce }: { nonce: string }) => (
  <MantineProvider theme={theme} cssVariablesResolver={cssVariables} defaultColorScheme="auto" getStyleNonce={() => nonce}>
    <QueryClientProvider client={queries}>
      <RouterProvider router={router} />
      <ReentryHost />
    </QueryClientProvider>
    <Confirming />
    <Suspense fallback={null}>
      <ToastStack />
    </Suspense>
  </MantineProvider>
);
