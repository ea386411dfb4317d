import { Button } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";

import { api, body } from "@/api/client";
import { countsAs, type Matrix, tallyOf } from "@/features/runs/matrix/model";
import classes from "@/features/runs/room/room.module.css";
import { type Step, stepsQuery } from "@/features/runs/run-queries";
import { copyText } from "@/lib/clipboard";
import { csvOf, saveFile } from "@/lib/saving";
import { ErrorState, Loading } from "@/ui/states/states";
import { TASK_STATE } from "@/ui/status";
import { TaskStateBadge } from "@/ui/status-badge";
import { Duration } from "@/ui/time";
import { toastDone, toastProblem } from "@/ui/toasts";

/** An artifact is named in the outputs of a step by its id. */
const ARTIFACT = "artifact";

const saveArtifact = async (artifact_id: string, name: string): Promise<void> => {
  const content = await body(api.GET("/api/v1/artifacts/{artifact_id}", { params: { path: { artifact_id } }, parseAs: "blob" }));
  saveFile(name, content);
};

const Outputs = ({ step }: { step: Step }) => {
  const entries = Object.entries(step.outputs ?? {});
  return entries.map(([name, value]) => {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    return (
      <div key={name}>
        <span className="quiet">{name}: </span>
        {name === ARTIFACT && typeof value === "string" ? (
          <Button size="compact-xs" variant="default" onClick={() => void saveArtifact(value, `${step.target ?? "file"}-${step.step}`).catch((error: unknown) => toastProblem("The file could not be downloaded", error))}>Download</Button>
        ) : (
          <span className="mono">{text}</span>
        )}
      </div>
    );
  });
};

const Note = ({ step }: { step: Step }) => (
  <>
    {step.error && <div>{step.error.message}</div>}
    {step.waiting_for !== null && <div className="quiet">Waits for {step.waiting_for}</div>}
    {step.truncated && <div className="quiet">The middle of its output was left out.</div>}
    {step.output_incomplete && <div className="quiet">Some of its output is missing.</div>}
  </>
);

const csvOfMatrix = ({ steps, rows }: Matrix): string =>
  csvOf([
    ["target", "status", ...steps.flatMap(({ name }) => [name, `${name} exit code`])],
    ...rows.map(({ target, state, cells }) => [
      target ?? "", state, ...cells.flatMap((cell) => (cell ? [countsAs(cell), String(cell.exit_code ?? "")] : ["", ""])),
    ]),
  ]);

/** Lists of targets by how they ended, to take along. */
const Lists = ({ matrix, runId }: { matrix: Matrix; runId: string }) => {
  const copy = (state: string, word: string): void => {
    const names = matrix.rows.flatMap((row) => (row.state === state && row.target !== null ? [row.target] : []));
    void copyText(names.join("\n")).then((done) => {
      if (done) toastDone(`${names.length} ${word.toLowerCase()} targets copied.`);
      else toastProblem("Not copied", new Error("The browser does not let this page use the clipboard."));
    });
  };
  return (
    <div className={classes.lists}>
      <span className="quiet">Copy the names of targets:</span>
      {tallyOf(matrix).map(([state, count]) => (
        <Button key={state} size="compact-xs" variant="default" onClick={() => copy(state, TASK_STATE[state].word)}>{TASK_STATE[state].word} ({count})</Button>
      ))}
      <Button size="compact-xs" variant="default" ml="auto" onClick={() => saveFile(`run-${runId}.csv`, new Blob([csvOfMatrix(matrix)], { type: "text/csv" }))}>All as CSV</Button>
    </div>
  );
};

/** How every task ended, and what it gave back. */
export const ResultsTab = ({ runId, matrix }: { runId: string; matrix: Matrix | undefined }) => {
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(stepsQuery(runId));
  if (error) return <ErrorState error={error} onRetry={() => void refetch()} />;
  if (!data) return <Loading label="Loading the results" />;
  return (
    <div>
      {matrix && <Lists matrix={matrix} runId={runId} />}
      <div className={classes.box}>
        <table className={classes.table}>
          <thead><tr><th scope="col">Status</th><th scope="col">Target</th><th scope="col">Step</th><th scope="col">Exit code</th><th scope="col">Duration</th><th scope="col">Outputs</th><th scope="col">Note</th></tr></thead>
          <tbody>
            {data.pages.flatMap((page) => page.items).map((step) => (
              <tr key={step.task_id}>
                <td><TaskStateBadge state={step.status} /></td>
                <td>{step.target ?? "–"}</td>
                <td>{step.step}</td>
                <td className="mono">{step.exit_code ?? ""}</td>
                <td><Duration start={step.started_at} end={step.finished_at} /></td>
                <td><Outputs step={step} /></td>
                <td><Note step={step} /></td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {hasNextPage && <Button mt="xs" variant="default" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>Show more</Button>}
    </div>
  );
};
