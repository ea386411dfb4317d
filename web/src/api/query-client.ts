import { QueryClient } from "@tanstack/react-query";

import { Problem } from "@/lib/problem";

/** Refusals stay refusals; only what a second try may mend is tried again. */
const worthRetrying = (error: Error): boolean =>
  !(error instanceof Problem) || error.status === 0 || error.status === 503;

export const makeQueryClient = (): QueryClient =>
  new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 10_000,
        retry: (failures, error) => failures < 2 && worthRetrying(error),
        retryDelay: (failures) => 500 * 2 ** failures,
        networkMode: "always",
      },
      mutations: { retry: false, networkMode: "always" },
    },
  });
