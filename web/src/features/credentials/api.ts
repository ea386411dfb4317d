import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";

import { api, body, creating, ifMatch, type Schemas, tagged } from "@/api/client";

import type { CredentialsFilter } from "./search";

export type Credential = Schemas["CredentialView"];
export type CredentialType = Schemas["CredentialType"];
export type CredentialCreate = Schemas["CredentialCreate"];
export type Secrets = Schemas["CredentialRotate"];

const PAGE = 100;

export const credentialKeys = {
  all: ["credentials"] as const,
  list: ["credentials", "list"] as const,
  choices: ["credentials", "choices"] as const,
  one: (id: string) => ["credentials", "one", id] as const,
};

export const credentialsQuery = ({ name, type, held, sort }: CredentialsFilter) =>
  infiniteQueryOptions({
    queryKey: [...credentialKeys.list, { name, type, held, sort }],
    queryFn: ({ pageParam, signal }) =>
      body(
        api.GET("/api/v1/credentials", {
          params: {
            query: {
              limit: PAGE,
              ...(pageParam === null ? {} : { cursor: pageParam }),
              ...(name === undefined ? {} : { name }),
              ...(type === undefined ? {} : { type }),
              ...(held === undefined ? {} : { held: true }),
              ...(sort === undefined ? {} : { sort }),
            },
          },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
  });

/** Enough of them to choose one by name. */
export const credentialChoicesQuery = queryOptions({
  queryKey: credentialKeys.choices,
  queryFn: ({ signal }) => body(api.GET("/api/v1/credentials", { params: { query: { limit: 200 } }, signal })),
});

export const credentialQuery = (id: string) =>
  queryOptions({
    queryKey: credentialKeys.one(id),
    queryFn: ({ signal }) =>
      tagged(api.GET("/api/v1/credentials/{credential_id}", { params: { path: { credential_id: id } }, signal })),
  });

export const createCredential = (credential: CredentialCreate, key: string): Promise<Credential> =>
  body(api.POST("/api/v1/credentials", { params: { header: creating(key) }, body: credential }));

export const changeCredential = (
  id: string,
  change: Schemas["CredentialChange"],
  etag: string | null,
): Promise<Credential> =>
  body(
    api.PUT("/api/v1/credentials/{credential_id}", {
      params: { path: { credential_id: id } },
      ...(etag === null ? {} : { headers: ifMatch(etag) }),
      body: change,
    }),
  );

export const rotateCredential = (id: string, secrets: Secrets): Promise<Credential> =>
  body(api.POST("/api/v1/credentials/{credential_id}/rotate", { params: { path: { credential_id: id } }, body: secrets }));

/** Let a held credential be tried again: on one target, or everywhere. */
export const releaseCredential = (id: string, reason: string, targetId: string | null): Promise<Credential> =>
  body(
    api.POST("/api/v1/credentials/{credential_id}/release", {
      params: { path: { credential_id: id } },
      body: { reason, ...(targetId === null ? {} : { target_id: targetId }) },
    }),
  );

/** With `force` the targets that use it are left without a credential, and steps that name it fail. */
export const deleteCredential = async (id: string, force: boolean): Promise<void> => {
  await api.DELETE("/api/v1/credentials/{credential_id}", { params: { path: { credential_id: id }, query: { force } } });
};
export { askCredential } from "./asking";
