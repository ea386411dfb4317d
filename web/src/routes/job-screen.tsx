import { useParams } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { JobPage } from "@/features/jobs/job-page";

export const JobScreen = (): ReactNode => {
  const { jobId } = useParams({ from: "/shell/jobs/$jobId" });
  return <JobPage key={jobId} jobId={jobId} />;
};
