import { queryOptions } from "@tanstack/react-query";

import { api, body } from "@/api/client";

const SHOWN = 50;

/** Targets with this in their names. */
export const targetNamesQuery = (part: string) =>
  queryOptions({
    queryKey: ["targets", "names", part],
    queryFn: ({ signal }) => body(api.GET("/api/v1/targets", { params: { query: { limit: SHOWN, ...(part === "" ? {} : { "name~": part }) } }, signal })),
    staleTime: 30_000,
  });
