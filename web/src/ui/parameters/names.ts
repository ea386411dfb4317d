import { queryOptions } from "@tanstack/react-query";

import { api, body } from "@/api/client";

const SHOWN = 50;

export interface Named {
  name: string;
  /** What else tells it from its like. */
  note: string;
}

/** Targets with this in their names. */
export const targetNamesQuery = (part: string) =>
  queryOptions({
    queryKey: ["targets", "names", part],
    queryFn: async ({ signal }): Promise<Named[]> => {
      const { items } = await body(api.GET("/api/v1/targets", { params: { query: { limit: SHOWN, ...(part === "" ? {} : { "name~": part }) } }, signal }));
      return items.map(({ name, os }) => ({ name, note: os }));
    },
    staleTime: 30_000,
  });

/** Credentials with this in their names. */
export const credentialNamesQuery = (part: string) =>
  queryOptions({
    queryKey: ["credentials", "names", part],
    queryFn: async ({ signal }): Promise<Named[]> => {
      const { items } = await body(api.GET("/api/v1/credentials", { params: { query: { limit: SHOWN, sort: "name", ...(part === "" ? {} : { "name~": part }) } }, signal }));
      return items.map(({ name, type, username }) => ({ name, note: [type, username].filter(Boolean).join(" · ") }));
    },
    staleTime: 30_000,
  });
