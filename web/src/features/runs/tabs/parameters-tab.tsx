import type { RunDetail } from "@/features/runs/api";
import { textOf } from "@/features/runs/room/parameter-values";
import classes from "@/features/runs/room/room.module.css";

const targetsOf = ({ targets, only_targets }: RunDetail): string => {
  const chosen = targets === null ? "those of the job" : Array.isArray(targets) ? targets.join(", ") : `query: ${targets.query}`;
  return only_targets === null ? chosen : `${chosen}; of these only ${only_targets.join(", ")}`;
};

const Value = ({ run, name }: { run: RunDetail; name: string }) => {
  const value = run.parameters[name];
  const meant = run.parameter_names[name];
  if (Array.isArray(value)) return value.length === 0 ? <span className="quiet">none</span> : <ul className={classes.chosen}>{value.map((item, index) => <li key={index}>{textOf(item)}</li>)}</ul>;
  return meant === undefined ? textOf(value) : <>{meant} <span className="quiet">{textOf(value)}</span></>;
};

/** What it was started with, as it was resolved. Secrets are never sent to a browser. */
export const ParametersTab = ({ run }: { run: RunDetail }) => {
  const names = [...new Set([...Object.keys(run.parameters), ...run.secrets])].sort();
  return (
    <div className={classes.box}>
      <table className={classes.table}>
        <thead><tr><th scope="col">Parameter</th><th scope="col">Value</th></tr></thead>
        <tbody>
          {names.map((name) => (
            <tr key={name}>
              <td className="mono">{name}</td>
              <td className="mono">{run.secrets.includes(name) ? <span title="A secret: sealed, and never shown">•••</span> : <Value run={run} name={name} />}</td>
            </tr>
          ))}
          {names.length === 0 && <tr><td colSpan={2} className="quiet">This run was started without parameters.</td></tr>}
          <tr><td>Targets</td><td>{targetsOf(run)}</td></tr>
          {run.from_step !== null && <tr><td>From step</td><td>{run.from_step}</td></tr>}
          <tr><td>Correlation id</td><td className="mono">{run.correlation_id}</td></tr>
        </tbody>
      </table>
    </div>
  );
};
