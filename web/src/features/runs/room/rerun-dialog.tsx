import { Button, Group, Modal, Select, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type SyntheticEvent, useState } from "react";

import type { JobDetail } from "@/features/jobs/api";
import type { RunDetail } from "@/features/runs/api";
import { type Matrix, rerunCounts } from "@/features/runs/matrix/model";
import { definitionQuery } from "@/features/runs/run-queries";
import { FormAlert } from "@/ui/forms/form-alert";
import { formProblems } from "@/ui/forms/problems";
import { begun, type Filled, filledWith, namedIn, narrowed, type Parameter, parametersOf, refusalsOf } from "@/ui/parameters/model";
import { ParameterInput } from "@/ui/parameters/parameter-input";
import { ErrorState, Loading } from "@/ui/states/states";

import { changesOf } from "./parameter-values";
import { useAgain } from "./use-again";
import { VersionDifference } from "./version-difference";

interface Props {
  run: RunDetail;
  matrix: Matrix;
  version: "same" | "newest";
  /** The job as it is now, if that is not what ran. */
  newest: JobDetail | null;
  onClose: () => void;
}

type Tasks = "all" | "failed" | "not_succeeded";

const KEPT = "Kept as it was unless you type another.";

/** A secret the run holds sealed need not be typed again. */
const asked = (parameters: readonly Parameter[], sealed: readonly string[]): Parameter[] =>
  parameters.map((parameter) =>
    sealed.includes(parameter.name)
      ? { ...parameter, required: false, description: parameter.description === null ? KEPT : `${parameter.description} · ${KEPT}` }
      : parameter,
  );

/** Run again with other values: filled in as they were; secrets are kept unless typed anew. */
const RerunDialog = ({ run, matrix, version: first, newest, onClose }: Props) => {
  const ran = useQuery(definitionQuery(run.id));
  const [typed, setTyped] = useState<Filled>({});
  const [tasks, setTasks] = useState<Tasks>("all");
  const [from, setFrom] = useState<string | null>(null);
  const [version, setVersion] = useState(first);
  const [error, setError] = useState<Error | null>(null);
  const [checked, setChecked] = useState(false);
  const again = useAgain(run.id);
  const counts = rerunCounts(matrix);

  const follows = version === "newest" && newest ? newest.definition : ran.data?.definition;
  const declared = asked(parametersOf(follows ?? {}), run.secrets);
  const before = { ...run.parameters, ...namedIn(declared, run.parameter_names) };
  const filled = { ...begun(declared, before), ...typed };
  const parameters = narrowed(declared, filled);
  const refused = refusalsOf(parameters, filled);
  const problems = formProblems(error, parameters.map(({ name }) => `parameters.${name}`));
  const refusalOf = (name: string): string | null => (checked ? (refused[name] ?? null) : null) ?? problems.of(`parameters.${name}`);

  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    setChecked(true);
    if (Object.keys(refused).length > 0) return;
    const changes = changesOf(parameters, filled, before);
    again.start({ tasks, version, parameters: changes, ...(from === null ? {} : { from_step: from }) }, setError);
  };
  return (
    <Modal opened onClose={onClose} title={`Run ${run.job_name} again`} size={version === "newest" && newest ? "min(1100px, 94vw)" : "lg"} closeButtonProps={{ "aria-label": "Close" }}>
      {ran.error && <ErrorState error={ran.error} onRetry={() => void ran.refetch()} />}
      {!follows ? !ran.error && <Loading rows={3} label="Loading what it asks for" /> : (
        <form onSubmit={submit} noValidate>
          <Stack gap="sm">
            <FormAlert text={problems.general} />
            {parameters.length === 0 && <Text c="dimmed">This job has no parameters.</Text>}
            {parameters.map((parameter) => (
              <ParameterInput key={`${version} ${parameter.name}`} parameter={parameter} value={filled[parameter.name] ?? ""} error={refusalOf(parameter.name)}
                onChange={(value) => { setError(null); setTyped(filledWith(declared, filled, parameter.name, value)); }} />
            ))}
            <Group grow align="start">
              <Select label="Targets" allowDeselect={false} value={tasks} onChange={(value) => setTasks(value ?? "all")}
                data={[
                  { value: "all", label: `All (${counts.all})` },
                  { value: "failed", label: `Failed only (${counts.failed})` },
                  { value: "not_succeeded", label: `Failed, skipped, not reached (${counts.notSucceeded})` },
                ]} />
              <Select label="From step" placeholder="the first" clearable clearButtonProps={{ "aria-label": "From the first step" }} value={from} onChange={setFrom} data={matrix.steps.map(({ name }) => name)} />
              <Select label="Version" allowDeselect={false} disabled={!newest} value={version} onChange={(value) => setVersion(value === "newest" ? "newest" : "same")}
                data={[{ value: "same", label: `Same (v${run.job_version})` }, { value: "newest", label: newest ? `Newest (v${newest.version})` : "Newest" }]} />
            </Group>
            {version === "newest" && newest && <VersionDifference jobId={run.job_id} ran={run.job_version} newest={newest.version} />}
            <Group justify="flex-end">
              <Button variant="default" onClick={onClose}>Not now</Button>
              <Button type="submit" loading={again.pending}>Run again</Button>
            </Group>
          </Stack>
        </form>
      )}
    </Modal>
  );
};

export default RerunDialog;
