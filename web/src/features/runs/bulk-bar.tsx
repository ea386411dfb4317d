import { Button, Group, Paper, Progress, Text } from "@mantine/core";
import { useRef, useState } from "react";

import { runEnded } from "@/api/run-status";
import { count } from "@/lib/span";
import { Allowed } from "@/ui/allowed";
import { confirm } from "@/ui/confirm";
import { toastDone, toastProblem } from "@/ui/toasts";

import { type BulkAction, type BulkOutcome, countRuns, type Run, useBulk, type Which } from "./api";
import type { RunsFilter } from "./search";

const WORDS: Readonly<Record<BulkAction, { ask: string; text: string; verb: string; done: string; danger: boolean }>> = {
  cancel: {
    ask: "Cancel", verb: "Cancel them", done: "asked to stop", danger: true,
    text: "Commands that are running are stopped on their targets. What they have done so far stays done.",
  },
  rerun: {
    ask: "Run again", verb: "Run again", done: "started again", danger: false,
    text: "Everything is carried out once more, each with the version, parameters and targets it had.",
  },
};

const report = (action: BulkAction, { done, failed, left, refusal }: BulkOutcome): void => {
  if (done > 0) toastDone(`${count(done, "run")} ${WORDS[action].done}.${left > 0 ? ` ${count(left, "run")} ${left === 1 ? "was" : "were"} left alone.` : ""}`);
  if (failed > 0) toastProblem(`${count(failed, "run")} could not be ${WORDS[action].done}`, new Error(refusal ?? "Refused."));
};

interface Going {
  action: BulkAction;
  done: number;
  all: number;
}

/** How far an action on many runs is; the part under way is ended, the rest can be left alone. */
const Going = ({ going: { action, done, all }, onStop }: { going: Going; onStop: () => void }) => (
  <Group gap="xs" role="status">
    <Text size="sm">{WORDS[action].ask}: {done.toLocaleString("en")} of {count(all, "run")}</Text>
    <Progress value={(100 * done) / Math.max(all, 1)} w={160} aria-label="How far it is" />
    <Button size="compact-xs" variant="subtle" onClick={onStop}>Leave the rest</Button>
  </Group>
);

interface Props {
  chosen: readonly Run[];
  /** More runs fit the filter than are shown. */
  filter: RunsFilter;
  filtered: boolean;
  onDone: () => void;
}

/** What can be done with the runs that are ticked, or with all that fit the filter. */
export const BulkBar = ({ chosen, filter, filtered, onDone }: Props) => {
  const bulk = useBulk();
  const [going, setGoing] = useState<Going | null>(null);
  const stopped = useRef(false);
  if (chosen.length === 0 && !filtered && going === null) return null;
  const open = chosen.filter((run) => !runEnded(run.status));
  const act = async (action: BulkAction, which: Which, all: number, exact = true): Promise<void> => {
    const { ask, text, verb, danger } = WORDS[action];
    if (!(await confirm({ title: `${ask} ${exact ? "" : "more than "}${count(all, "run")}?`, text, verb, danger }))) return;
    stopped.current = false;
    setGoing({ action, done: 0, all });
    bulk.mutate({ action, which, onPart: (done) => setGoing({ action, done, all }), stopped: () => stopped.current }, {
      onSuccess: (outcome) => {
        report(action, outcome);
        onDone();
      },
      onError: (error) => toastProblem("That was refused", error),
      onSettled: () => setGoing(null),
    });
  };
  const actOnAll = async (action: BulkAction): Promise<void> => {
    try {
      const { matched, matched_is_exact } = await countRuns(action, filter);
      if (matched === 0) toastProblem("Nothing to do", new Error(action === "cancel" ? "No run that fits is still going on." : "No run fits."));
      else await act(action, { filter }, matched, matched_is_exact);
    } catch (error) {
      toastProblem("That was refused", error);
    }
  };
  const ids = (list: readonly Run[]): Which => ({ ids: list.map(({ id }) => id) });
  return (
    <Paper withBorder px="sm" py={6} mb="xs">
      <Group gap="xs">
        {going ? <Going going={going} onStop={() => { stopped.current = true; }} /> : chosen.length > 0 ? (
          <>
            <Text fw={600} size="sm" aria-live="polite">{chosen.length} selected</Text>
            <Allowed permission="runs:start">
              <Button variant="default" loading={bulk.isPending} onClick={() => void act("rerun", ids(chosen), chosen.length)}>Run again</Button>
            </Allowed>
            <Allowed permission="runs:cancel" unless={open.length === 0 ? "Every selected run has ended." : null}>
              <Button variant="light" color="red" loading={bulk.isPending} onClick={() => void act("cancel", ids(open), open.length)}>Cancel</Button>
            </Allowed>
            <Button variant="subtle" onClick={onDone}>Clear selection</Button>
          </>
        ) : (
          <>
            <Text size="sm" c="dimmed">All that fit these filters, also those further down:</Text>
            <Allowed permission="runs:start">
              <Button size="compact-xs" variant="default" loading={bulk.isPending} onClick={() => void actOnAll("rerun")}>Run all again…</Button>
            </Allowed>
            <Allowed permission="runs:cancel">
              <Button size="compact-xs" variant="light" color="red" loading={bulk.isPending} onClick={() => void actOnAll("cancel")}>Cancel all…</Button>
            </Allowed>
          </>
        )}
      </Group>
    </Paper>
  );
};
