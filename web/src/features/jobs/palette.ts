import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useMemo } from "react";

import { useRefusal } from "@/api/me";
import { type Command, useCommands } from "@/ui/commands";

import { jobChoicesQuery } from "./api";
import { openRunDialog } from "./run-dialog";

/** "Run …", "Edit …" and "New job" for Ctrl-K, wherever one is. */
export const useJobCommands = (): void => {
  const jobs = useQuery(jobChoicesQuery).data?.items;
  const navigate = useNavigate();
  const mayRun = useRefusal("runs:start");
  const mayChange = useRefusal("jobs:write");
  useCommands(
    useMemo<Command[]>(
      () => [
        ...(jobs ?? []).map(({ id, name }): Command => ({
          id: `run-job-${id}`, label: `Run ${name}`, group: "Run", refusal: mayRun, run: () => openRunDialog(id),
        })),
        ...(jobs ?? []).map(({ id, name }): Command => ({
          id: `job-${id}`, label: name, group: "Jobs", run: () => void navigate({ to: "/jobs/$jobId", params: { jobId: id } }),
        })),
        { id: "new-job", label: "New job", group: "Jobs", refusal: mayChange, run: () => void navigate({ to: "/jobs/new", search: {} }) },
      ],
      [jobs, mayChange, mayRun, navigate],
    ),
  );
};
