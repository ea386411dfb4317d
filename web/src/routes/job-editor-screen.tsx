import { useParams, useSearch } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { EditorPage } from "@/features/jobs/editor/editor-page";

export const EditJobScreen = (): ReactNode => {
  const { jobId } = useParams({ from: "/shell/jobs/$jobId/edit" });
  return <EditorPage key={jobId} jobId={jobId} copyOf={null} />;
};

export const NewJobScreen = (): ReactNode => {
  const { copy } = useSearch({ from: "/shell/jobs/new" });
  return <EditorPage key={copy ?? "new"} jobId={null} copyOf={copy ?? null} />;
};
