import { Alert, Button, Checkbox, Group, Menu, Stack, Text } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import { ChevronDown, Play } from "lucide-react";
import { type SubmitEvent, useState } from "react";

import { useRefusal } from "@/api/me";
import { randomKey } from "@/lib/ids";
import { Allowed } from "@/ui/allowed";
import { FormAlert } from "@/ui/forms/form-alert";
import { formProblems } from "@/ui/forms/problems";
import { toastDone } from "@/ui/toasts";

import { type JobDetail, type RunWish, useStartRun } from "./api";
import { asCli, asCurl, leftOut } from "./as-command";
import { ParameterInput } from "@/ui/parameters/parameter-input";
import { begun, type Filled, filledWith, narrowed, parametersOf, refusalsOf, valuesOf } from "@/ui/parameters/model";
import { type Choice, choiceRefusal, targetsOf, TargetsPicker } from "./targets-picker";

interface Props {
  job: JobDetail;
  /** What the last run was given, if it ever ran. */
  last: Readonly<Record<string, unknown>> | null;
  onStarted: (runId: string) => void;
}

/** Everything a run needs, generated from what the job asks for. */
export const RunForm = ({ job, last, onStarted }: Props) => {
  const declared = parametersOf(job.definition);
  const [filled, setFilled] = useState<Filled>(() => begun(declared, last));
  const parameters = narrowed(declared, filled);
  const [choice, setChoice] = useState<Choice>({ mode: "own" });
  const [evenInactive, setEvenInactive] = useState(false);
  const [checked, setChecked] = useState(false);
  const [key, setKey] = useState(randomKey);
  const start = useStartRun(job.id);
  const mayChange = useRefusal("jobs:write");
  const clipboard = useClipboard();

  const wish: RunWish = { parameters: valuesOf(parameters, filled), targets: targetsOf(choice), even_if_inactive: evenInactive };
  const refused = refusalsOf(parameters, filled);
  const unchosen = choiceRefusal(choice);
  const answered = formProblems(start.error, [...parameters.map(({ name }) => `parameters.${name}`), "targets"]);
  const errorOf = (name: string): string | null => (checked ? (refused[name] ?? null) : null) ?? answered.of(`parameters.${name}`);
  // What the server refused is another request once it is mended.
  const change = (act: () => void): void => {
    if (start.isError) { start.reset(); setKey(randomKey()); }
    act();
  };
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    setChecked(true);
    const [first] = Object.keys(refused);
    if (first !== undefined) document.querySelector<HTMLElement>(`[data-parameter="${CSS.escape(first)}"]`)?.focus();
    if (first !== undefined || unchosen !== null) return;
    start.mutate({ wish, key }, { onSuccess: ({ id }) => onStarted(id) });
  };
  const copy = (text: string): void => {
    clipboard.copy(text);
    const secrets = leftOut(parameters);
    toastDone(secrets.length > 0 ? `Copied without ${secrets.join(", ")}: add secrets where nobody reads along.` : "Copied.");
  };
  const cli = asCli(job.name, wish, parameters);

  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="md">
        {job.description !== null && <Text c="dimmed" size="sm">{job.description}</Text>}
        {!job.active && (
          <Alert color="orange" variant="light" title="This job is inactive">
            {job.inactive_reason ?? "Somebody deactivated it."}
            <Checkbox mt="xs" label="Run it all the same" checked={evenInactive} disabled={mayChange !== null}
              description={mayChange === null ? null : "Only who may change jobs can do that."} onChange={(event) => { const on = event.currentTarget.checked; change(() => setEvenInactive(on)); }} />
          </Alert>
        )}
        {parameters.length === 0 && <Text size="sm" c="dimmed">This job asks for no parameters.</Text>}
        {parameters.map((parameter) => (
          <ParameterInput key={parameter.name} parameter={parameter} value={filled[parameter.name] ?? ""} error={errorOf(parameter.name)}
            onChange={(value) => change(() => setFilled(filledWith(declared, filled, parameter.name, value)))} />
        ))}
        {last !== null && parameters.length > 0 && (
          <Group gap="xs">
            <Button variant="subtle" size="compact-xs" onClick={() => change(() => setFilled(begun(declared, last)))}>Values of the last run</Button>
            <Button variant="subtle" size="compact-xs" onClick={() => change(() => setFilled(begun(declared)))}>Defaults</Button>
          </Group>
        )}
        <TargetsPicker choice={choice} definition={job.definition} error={(checked ? unchosen : null) ?? answered.of("targets")} onChange={(next) => change(() => setChoice(next))} />
        <FormAlert text={answered.general} />
        <Group justify="space-between" gap="xs">
          <Menu position="top-start" withinPortal>
            <Menu.Target><Button variant="subtle" rightSection={<ChevronDown size={14} />}>Copy as</Button></Menu.Target>
            <Menu.Dropdown>
              <Menu.Item disabled={cli === null} onClick={() => copy(cli ?? "")}>opsconductor run …</Menu.Item>
              <Menu.Item onClick={() => copy(asCurl(window.location.origin, job.id, wish, parameters))}>curl</Menu.Item>
            </Menu.Dropdown>
          </Menu>
          <Allowed permission="runs:start" unless={!job.active && !evenInactive ? "The job is inactive." : null}>
            <Button type="submit" size="sm" leftSection={<Play size={15} />} loading={start.isPending}>Run</Button>
          </Allowed>
        </Group>
      </Stack>
    </form>
  );
};
