import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { meQuery } from "@/api/me";
import { ErrorState, Loading } from "@/ui/states/states";

import { jobSchemaQuery, jobTextQuery } from "@/features/jobs/api";
import { edit, read } from "./document";
import { Editor } from "./editor";

const EMPTY = "name: \"\"\nsteps: []\n";

/** A copy goes by another name; everything else stays, comments too. */
const copied = (text: string): string => {
  const name = read(text).definition?.name;
  return typeof name === "string" ? edit(text, ["name"], `${name} (copy)`) : text;
};

/** The editor of a job that exists, or of a new one: empty, or a copy. */
export const EditorPage = ({ jobId, copyOf }: { jobId: string | null; copyOf: string | null }): ReactNode => {
  const from = jobId ?? copyOf;
  const schema = useQuery(jobSchemaQuery);
  const me = useQuery(meQuery);
  // Read once: what others save meanwhile is told when this is saved, not slipped in below the cursor.
  const stored = useQuery({ ...jobTextQuery(from ?? ""), enabled: from !== null, refetchOnWindowFocus: false, refetchOnReconnect: false, staleTime: Infinity });
  const failed = schema.error ?? me.error ?? (from === null ? null : stored.error);
  if (failed) return <ErrorState error={failed} onRetry={() => { void schema.refetch(); void me.refetch(); if (from !== null) void stored.refetch(); }} />;
  if (!schema.data || !me.data || (from !== null && !stored.data)) return <Loading label="Loading the editor" />;
  const text = stored.data?.text ?? EMPTY;
  return <Editor jobId={jobId} who={me.data.id} start={{ text: jobId === null && copyOf !== null ? copied(text) : text, etag: jobId === null ? null : (stored.data?.etag ?? null) }} schema={schema.data} />;
};
