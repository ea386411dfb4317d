import { infiniteQueryOptions } from "@tanstack/react-query";

import { api, body, creating, ifMatch, type Schemas, tagged } from "@/api/client";

export type User = Schemas["UserView"];
export type UserCreate = Schemas["UserCreate"];
export type UserChange = Schemas["UserChange"];

export const userKeys = { all: ["users"] as const, list: ["users", "list"] as const };

export const usersQuery = infiniteQueryOptions({
  queryKey: userKeys.list,
  queryFn: ({ pageParam, signal }) =>
    body(api.GET("/api/v1/users", { params: { query: { limit: 200, ...(pageParam === null ? {} : { cursor: pageParam }) } }, signal })),
  initialPageParam: null as string | null,
  getNextPageParam: (page) => page.next_cursor,
});

export const createUser = (user: UserCreate, key: string): Promise<User> =>
  body(api.POST("/api/v1/users", { params: { header: creating(key) }, body: user }));

/** Changes what `seen` shows; refused when somebody changed the user since the list was read. */
export const changeUser = async (seen: User, change: UserChange): Promise<User> => {
  const path = { user_id: seen.id };
  const { data: now, etag } = await tagged(api.GET("/api/v1/users/{user_id}", { params: { path } }));
  const stale = now.updated_at !== seen.updated_at ? '"stale"' : etag;
  return body(api.PUT("/api/v1/users/{user_id}", { params: { path }, ...(stale === null ? {} : { headers: ifMatch(stale) }), body: change }));
};
