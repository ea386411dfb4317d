import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useRef, useState } from "react";

import { Problem } from "@/lib/problem";
import { randomKey } from "@/lib/ids";
import { toastDone, toastProblem } from "@/ui/toasts";

import { changeJob, createJob, jobKeys, readText } from "@/features/jobs/api";
import { openRunDialog } from "@/features/jobs/run-dialog";
import { type DraftOf, storeDraft, type StoredDraft } from "./stored-draft";

const isStale = (error: unknown): boolean => error instanceof Problem && error.code === "stale_edit";

export interface Saving {
  isDirty: boolean;
  isPending: boolean;
  etag: string | null;
  message: string;
  setMessage: (message: string) => void;
  /** `andRun` opens the run dialog afterwards. */
  save: (andRun: boolean) => void;
  /** What somebody else saved in between, while nobody has decided about it. */
  theirs: StoredDraft | null;
  /** From now on this is what changes are made to; with `again`, mine is saved over it at once. */
  rebase: (base: StoredDraft, again?: boolean) => void;
  dismiss: () => void;
}

/** Saving a text as a new version of a job, or as a new job. */
export const useSave = (of: DraftOf, start: StoredDraft, text: string): Saving => {
  const { jobId } = of;
  const [base, setBase] = useState(start);
  const [message, setMessage] = useState("");
  const [theirs, setTheirs] = useState<StoredDraft | null>(null);
  const [key, setKey] = useState(randomKey);
  const isLeaving = useRef(false);
  const queries = useQueryClient();
  const navigate = useNavigate();

  const saving = useMutation({
    mutationFn: async ({ etag }: { andRun: boolean; etag: string | null }) => {
      const sent = text;
      const { data, etag: next } = await (jobId === null ? createJob(sent, message, key) : changeJob(jobId, sent, message, etag));
      return { job: data, etag: next, sent };
    },
    onSuccess: async ({ job, etag, sent }, { andRun }) => {
      setBase({ text: sent, etag });
      setMessage("");
      setKey(randomKey());
      storeDraft(of, null);
      toastDone(job.version === 1 ? `${job.name} is saved.` : `Saved as version ${job.version}.`);
      queries.removeQueries({ queryKey: jobKeys.text(job.id) });
      await queries.invalidateQueries({ queryKey: jobKeys.all, refetchType: "none" });
      if (andRun) openRunDialog(job.id);
      if (jobId === null) {
        isLeaving.current = true;
        await navigate({ to: "/jobs/$jobId/edit", params: { jobId: job.id }, replace: true });
      }
    },
    onError: async (error) => {
      if (error instanceof Problem && error.status !== 0) setKey(randomKey()); // refused: the next try is another request
      if (jobId === null || !isStale(error)) { toastProblem("It is not saved", error); return; }
      try {
        setTheirs(await readText(jobId));
      } catch (failure) {
        toastProblem("Somebody else changed it, and their version cannot be read", failure);
      }
    },
  });
  const isDirty = text !== base.text;
  const send = (andRun: boolean, etag: string | null): void => {
    if (!saving.isPending) saving.mutate({ andRun, etag });
  };
  return {
    isDirty: isDirty && !isLeaving.current,
    isPending: saving.isPending,
    etag: base.etag,
    message,
    setMessage,
    save: (andRun) => {
      if (isDirty || jobId === null) send(andRun, base.etag);
      else if (andRun) openRunDialog(jobId);
    },
    theirs,
    rebase: (next, again = false) => {
      setBase(next);
      setTheirs(null);
      if (again) send(false, next.etag);
    },
    dismiss: () => setTheirs(null),
  };
};
