import { queryOptions } from "@tanstack/react-query";

import { api, body, type Schemas } from "@/api/client";

export type CauseHelp = Schemas["CauseHelp"];

/** Every cause there is, in plain words; built into the gateway, so that it can be read without a way out to the net. */
export const causesQuery = queryOptions({
  queryKey: ["help", "causes"],
  queryFn: async ({ signal }) => (await body(api.GET("/api/v1/causes", { signal }))).items,
  staleTime: Infinity,
});
