import { Badge } from "@mantine/core";
import { Link } from "@tanstack/react-router";

import { Panel } from "@/ui/panel";
import { Ago } from "@/ui/time";

import type { JobDetail } from "./api";
import { stepInWords, stepsOf, targetsInWords } from "./in-words";
import classes from "./jobs.module.css";
import { seconds, successOf } from "./lately";
import { inWords, type Parameter, parametersOf } from "@/ui/parameters/model";
import { RunDots } from "./run-dots";
import { LiveCount } from "./targets-picker";
import { JobUses } from "./uses";

const Steps = ({ job }: { job: JobDetail }) => (
  <ol className={classes.steps}>
    {stepsOf(job.definition).map((step, index) => {
      const { name, type, what, how, script } = stepInWords(step, index, job.definition.targets);
      return (
        <li key={index} className={classes.step}>
          <p><span className="quiet">{index + 1}</span> <b>{name}</b> <span className="quiet mono">{type}</span></p>
          <p>{what}{how !== "" && <span className="quiet"> · {how}</span>}</p>
          {script !== null && <pre className={classes.script} tabIndex={0} aria-label={`Script of ${name}`}>{script}</pre>}
        </li>
      );
    })}
  </ol>
);

const paramNote = ({ type, required, default: value, choices, dependsOn }: Parameter): string =>
  [
    type, required ? "required" : "", value === null ? "" : `default ${inWords(value)}`,
    choices ? `${type === "multi" ? "some of" : "one of"} ${choices.join(", ")}` : "", dependsOn === null ? "" : `choices by ${dependsOn}`,
  ].filter(Boolean).join(" · ");

const Parameters = ({ job }: { job: JobDetail }) => {
  const parameters = parametersOf(job.definition);
  if (parameters.length === 0) return <span className="quiet">It asks for nothing.</span>;
  return (
    <dl className={classes.facts}>
      {parameters.map((parameter) => (
        <div key={parameter.name} style={{ display: "contents" }}>
          <dt className="mono">{parameter.name}</dt>
          <dd>{paramNote(parameter)}{parameter.description !== null && <div className="quiet">{parameter.description}</div>}</dd>
        </div>
      ))}
    </dl>
  );
};

const Lately = ({ job }: { job: JobDetail }) => (
  <dl className={classes.facts}>
    <dt>Last runs</dt><dd><RunDots runs={job.lately.runs} /></dd>
    <dt>Success</dt><dd>{successOf(job.lately)} <span className="quiet">{job.lately.succeeded} of {job.lately.ended} that ended</span></dd>
    <dt>Duration</dt><dd>p50 {seconds(job.lately.p50_seconds)} · p95 {seconds(job.lately.p95_seconds)}</dd>
    <dt>Changed</dt><dd><Ago at={job.updated_at} /> <span className="quiet">by {job.updated_by_name ?? job.updated_by}</span></dd>
    <dt>Version</dt><dd><Link to="/jobs/$jobId" params={{ jobId: job.id }} search={{ tab: "versions" }}>{job.version}</Link></dd>
  </dl>
);

/** What a job does, asks for and runs on, and how it went lately. */
export const Overview = ({ job }: { job: JobDetail }) => {
  const own = targetsInWords(job.definition.targets);
  const parallel = job.definition.max_parallel;
  return (
    <div className={classes.overview}>
      <Panel title="What it does">
        {job.description !== null && <p className={classes.grow}>{job.description}</p>}
        <Steps job={job} />
      </Panel>
      <div className={classes.side}>
        <Panel title="Lately"><Lately job={job} /></Panel>
        <Panel title="Targets" actions={typeof parallel === "number" ? <Badge variant="light" color="gray">{parallel} at a time</Badge> : null}>
          <p className={classes.grow}>{own ?? "Named by its steps, or chosen at the start."}</p>
          <LiveCount definition={job.definition} targets={null} />
        </Panel>
        <Panel title="Used by"><JobUses jobId={job.id} current={job.version} /></Panel>
        <Panel title="Parameters"><Parameters job={job} /></Panel>
      </div>
    </div>
  );
};
