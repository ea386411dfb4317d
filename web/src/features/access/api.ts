import { queryOptions } from "@tanstack/react-query";

import { api, body, type Schemas } from "@/api/client";
import { accessToken, begin, end, refreshTokenOfTab } from "@/api/session";

/** Sign in; every tab learns of it. Throws the `Problem` of wrong credentials or too many tries. */
export const signIn = async (username: string, password: string): Promise<Schemas["TokenView"]> => {
  const tokens = await body(api.POST("/api/login", { body: { username, password } }));
  begin(tokens);
  return tokens;
};

/** Every other session of this user ends; this one goes on. */
export const changePassword = async (current: string, next: string): Promise<void> => {
  begin(await body(api.POST("/api/v1/users/me/password", { body: { current_password: current, new_password: next } })));
};

/** End this session here and on the server; here also when the server cannot be told. */
export const signOut = async (): Promise<void> => {
  await accessToken().catch(() => null); // a renewal changes the token to name
  const refresh_token = refreshTokenOfTab();
  if (refresh_token !== null) await api.POST("/api/logout", { body: { refresh_token } }).catch(() => undefined);
  end();
};

/** End every session of this user, on every device. */
export const signOutEverywhere = async (): Promise<void> => {
  await api.POST("/api/revoke-all");
  end();
};

export type Session = Schemas["SessionView"];

export const sessionsQuery = queryOptions({
  queryKey: ["me", "sessions"],
  queryFn: ({ signal }) => body(api.GET("/api/v1/me/sessions", { signal })),
});

export const endSession = async (id: string): Promise<void> => {
  await api.DELETE("/api/v1/me/sessions/{session_id}", { params: { path: { session_id: id } } });
};

export const changeMe = (change: Schemas["MeChange"]): Promise<Schemas["MeView"]> => body(api.PATCH("/api/v1/me", { body: change }));
