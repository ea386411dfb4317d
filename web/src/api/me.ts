/** Who is signed in and what they may do. */
import { queryOptions, useQuery } from "@tanstack/react-query";

import { api, body, type Schemas } from "./client";

export type Role = Schemas["Role"];
export type Me = Schemas["MeView"];

/** What a control can ask for; `public` and `authenticated` are nothing one could lack here. */
export type Permission = Exclude<Schemas["Permission"], "public" | "authenticated">;

export const meQuery = queryOptions({
  queryKey: ["me"],
  queryFn: ({ signal }) => body(api.GET("/api/v1/me", { signal })),
  staleTime: 60_000,
});

export const useMe = (): Me | undefined => useQuery(meQuery).data;

/** Null when allowed; otherwise the reason to show. The gateway decides; this only says it beforehand. */
export const useRefusal = (permission: Permission): string | null => {
  const me = useMe();
  if (!me) return "Still finding out what you may do.";
  if (me.permissions.includes(permission)) return null;
  return `This needs the permission ${permission}; the role ${me.role} does not have it. Ask an administrator.`;
};
