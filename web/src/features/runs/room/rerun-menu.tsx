import { Button, Menu, SegmentedControl } from "@mantine/core";
import { ChevronDown, RotateCw } from "lucide-react";
import { useState } from "react";

import { useRefusal } from "@/api/me";
import { runEnded } from "@/api/run-status";
import type { RunDetail } from "@/features/runs/api";
import { type Matrix, rerunCounts } from "@/features/runs/matrix/model";
import { Later } from "@/ui/later";

import { useAgain } from "./use-again";
import { useNewest } from "./use-newest";

const load = () => import("./rerun-dialog");

const NO_MATRIX: Matrix = { steps: [], rows: [] };

/** Everything one may want to do again of a run, with how many targets that are. */
export const RerunMenu = ({ run, matrix = NO_MATRIX }: { run: RunDetail; matrix: Matrix | undefined }) => {
  const refusal = useRefusal("runs:start");
  const again = useAgain(run.id);
  const [version, setVersion] = useState<"same" | "newest">("same");
  const [editing, setEditing] = useState(false);
  const [opened, setOpened] = useState(false);
  const newest = useNewest(run, opened || editing);
  const counts = rerunCounts(matrix);
  const ended = runEnded(run.status);
  const part = (count: number): string | null => (refusal ?? (!ended ? "What failed is only known once the run has ended." : count === 0 ? "There are none." : null));
  const item = (label: string, why: string | null, act: () => void) => (
    <Menu.Item key={label} disabled={why !== null} title={why ?? undefined} onClick={act}>{label}</Menu.Item>
  );
  return (
    <>
      <Menu position="bottom-end" width={290} withinPortal opened={opened} onChange={setOpened}>
        <Menu.Target>
          <Button leftSection={<RotateCw size={14} />} rightSection={<ChevronDown size={14} />} loading={again.pending}>Re-run</Button>
        </Menu.Target>
        <Menu.Dropdown>
          {refusal !== null && <Menu.Label>{refusal}</Menu.Label>}
          {item(`Failed targets only (${counts.failed})`, part(counts.failed), () => again.start({ tasks: "failed", version }))}
          {item(`Failed + skipped + not reached (${counts.notSucceeded})`, part(counts.notSucceeded), () => again.start({ tasks: "not_succeeded", version }))}
          {item(counts.all > 0 ? `All targets (${counts.all})` : "All of it", refusal, () => again.start({ version }))}
          {matrix.steps.length > 1 && (
            <>
              <Menu.Divider />
              <Menu.Label>From a step on, all targets</Menu.Label>
              {matrix.steps.slice(1).map(({ name }, index) => item(`${index + 2}. ${name}`, refusal, () => again.start({ from_step: name, version })))}
            </>
          )}
          <Menu.Divider />
          {item("Edit parameters first…", refusal, () => setEditing(true))}
          <Menu.Divider />
          <Menu.Label>{newest ? "Version of the job" : "The job has not changed since"}</Menu.Label>
          <SegmentedControl fullWidth size="xs" disabled={!newest} value={version} onChange={(value) => setVersion(value === "newest" ? "newest" : "same")} aria-label="Version of the job"
            data={[{ value: "same", label: `Same (v${run.job_version})` }, { value: "newest", label: newest ? `Newest (v${newest.version})` : "Newest" }]} />
          {newest && <Menu.Item onClick={() => { setVersion("newest"); setEditing(true); }}>What changed since v{run.job_version}…</Menu.Item>}
        </Menu.Dropdown>
      </Menu>
      {editing && (
        <Later name="The form to run it again" load={load} onGiveUp={() => setEditing(false)}>
          {(RerunDialog) => <RerunDialog run={run} matrix={matrix} version={version} newest={newest} onClose={() => setEditing(false)} />}
        </Later>
      )}
    </>
  );
};
