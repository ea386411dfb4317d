import { TextInput, Title } from "@mantine/core";
import { useMemo } from "react";

import { ErrorBoundary } from "@/ui/states/error-boundary";
import { FilteredEmpty, Loading } from "@/ui/states/states";
import { TASK_STATE, type TaskState } from "@/ui/status";

import classes from "./matrix.module.css";
import { MatrixGrid } from "./matrix-grid";
import type { Chosen } from "./matrix-row";
import { type Matrix, shownRows, tallyOf } from "./model";

interface Props {
  matrix: Matrix | undefined;
  name: string;
  states: readonly TaskState[];
  onFilter: (change: { name?: string | undefined; state?: TaskState[] | undefined }) => void;
  chosen: Chosen;
  onChoose: (chosen: Chosen) => void;
}

const FEW = 8;

/** The counts of targets by how they stand; each is a filter. */
const Tally = ({ matrix, states, onFilter }: Pick<Props, "states" | "onFilter"> & { matrix: Matrix }) =>
  tallyOf(matrix).map(([state, count]) => {
    const { tone, glyph, word } = TASK_STATE[state];
    const pressed = states.includes(state);
    return (
      <button key={state} type="button" className={`status tone-${tone} ${classes.toggle}`} aria-pressed={pressed} title={`Only targets that are ${word.toLowerCase()}`}
        onClick={() => { const next = pressed ? states.filter((each) => each !== state) : [...states, state]; onFilter({ state: next.length > 0 ? next : undefined }); }}>
        <span aria-hidden="true">{glyph}</span>{count.toLocaleString("en")} {word.toLowerCase()}
      </button>
    );
  });

export const MatrixPanel = ({ matrix, name, states, onFilter, chosen, onChoose }: Props) => {
  const rows = useMemo(() => (matrix ? shownRows(matrix, { name, states }) : []), [matrix, name, states]);
  const content = () => {
    if (!matrix) return <Loading rows={4} label="Loading the targets" />;
    if (matrix.rows.length === 0) return <p className={classes.empty}>Not planned yet: targets appear here once the run has been laid out.</p>;
    if (rows.length === 0) return <FilteredEmpty what="targets" onClear={() => onFilter({ name: undefined, state: undefined })} />;
    return <MatrixGrid matrix={matrix} rows={rows} chosen={chosen} onChoose={onChoose} />;
  };
  return (
    <section className={classes.panel} aria-label="Targets × steps">
      <div className={classes.tools}>
        <Title order={2} size="h3">Targets × steps</Title>
        {matrix && <Tally matrix={matrix} states={states} onFilter={onFilter} />}
        {matrix && (matrix.rows.length > FEW || name !== "") && (
          <TextInput size="xs" ml="auto" w={180} aria-label="Target name" placeholder="Filter targets…" value={name}
            onChange={(event) => onFilter({ name: event.currentTarget.value === "" ? undefined : event.currentTarget.value })} />
        )}
      </div>
      <ErrorBoundary>{content()}</ErrorBoundary>
    </section>
  );
};
