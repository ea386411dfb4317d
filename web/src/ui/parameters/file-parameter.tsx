import { FileInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";

import { api, body } from "@/api/client";
import { messageOf } from "@/lib/problem";

const store = async (file: File): Promise<string> => {
  const headers = { "content-type": file.type || "application/octet-stream" };
  const sent = { body: file as unknown as string, bodySerializer: () => file };
  const { id } = await body(api.POST("/api/v1/artifacts", { params: { query: { name: file.name } }, headers, ...sent }));
  return id;
};

interface Props {
  label: string;
  description: ReactNode;
  withAsterisk: boolean;
  error: string | null;
  /** The id of a stored file. */
  value: string;
  onChange: (id: string) => void;
  preview: boolean;
  "data-parameter": string;
}

/** A file of this machine: stored as soon as it is chosen, and named by its id from then on. */
export const FileParameter = ({ value, onChange, preview, error, ...shown }: Props) => {
  const [chosen, setChosen] = useState<File | null>(null);
  const storing = useMutation({ mutationFn: store, onSuccess: onChange });
  const choose = (file: File | null): void => {
    setChosen(file);
    onChange("");
    if (file && !preview) storing.mutate(file);
  };
  const kept = value !== "" && chosen === null ? `Stored file ${value}` : "Choose a file…";
  const refusal = storing.isError ? `It could not be stored: ${messageOf(storing.error)}` : storing.isPending ? null : error;
  return (
    <FileInput {...shown} value={chosen} onChange={choose} placeholder={kept} error={refusal} disabled={storing.isPending} clearable
      clearButtonProps={{ "aria-label": `No ${shown.label}` }} {...(storing.isPending ? { description: "Storing…" } : {})} />
  );
};
