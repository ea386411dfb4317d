import { Link } from "@tanstack/react-router";

import { NEVER_TESTED, RUN_STATUS, TASK_STATE, TEST_STATUS } from "@/ui/status";
import { StatusMark } from "@/ui/status-badge";
import type { Column } from "@/ui/table/data-table";
import { Ago } from "@/ui/time";

import { addressOf, OS_WORD, transportOf } from "./addressing";
import type { Target } from "./api";
import { tagWords } from "./form/draft";
import classes from "./targets.module.css";

/** Worst first: what stands in the way of a run, or makes it unsafe. */
const GLYPH: Readonly<Record<Target["warnings"][number]["code"], string>> = { credential_held: "‖", host_key_unpinned: "?", tls_unverified: "!" };

const Warnings = ({ warnings }: { warnings: Target["warnings"] }) =>
  warnings.map(({ code, message }) => (
    <span key={code} role="img" aria-label={message} title={message} className={`${classes.warning ?? ""} tone-${code === "host_key_unpinned" ? "warn" : "bad"}`}>{GLYPH[code]}</span>
  ));

/** What the newest test said: its cause where it failed, and when. */
export const LastTest = ({ test }: { test: Target["last_test"] }) => {
  if (test === null) return <StatusMark look={NEVER_TESTED} />;
  const look = TEST_STATUS[test.status];
  return (
    <>
      <StatusMark look={test.message === null ? look : { ...look, meaning: test.message }} />{" "}
      <span className="quiet" title={test.message ?? ""}>{test.code !== null && <><span className="mono">{test.code}</span> · </>}<Ago at={test.at} /></span>
    </>
  );
};

const LastRun = ({ run }: { run: Target["last_run"] }) => {
  if (run === null) return <span className="quiet">never</span>;
  const look = TASK_STATE[run.status];
  return (
    <Link to="/runs/$runId" params={{ runId: run.id }} className={classes.lastRun ?? ""} title={`${run.job_name}: ${look.word.toLowerCase()} here; the run: ${RUN_STATUS[run.run_status].word.toLowerCase()}`}>
      <StatusMark look={look} /> <Ago at={run.at} />
    </Link>
  );
};

/** The system as its facts tell it; the family where nobody has collected any. */
const system = ({ os, facts }: Target): string => {
  const [name, version] = [facts?.os_name, facts?.os_version];
  return typeof name === "string" ? [name, typeof version === "string" && !name.includes(version) ? version : ""].join(" ").trim() : OS_WORD[os];
};

export const Tags = ({ tags }: { tags: Target["tags"] }) => tagWords(tags).map((word) => <span key={word} className={classes.tag} title={word}><bdi>{word}</bdi></span>);

export const TARGET_COLUMNS: readonly Column<Target>[] = [
  {
    id: "name", header: "Name", width: "minmax(150px, 2fr)", sort: "name", card: "title",
    cell: (target) => (
      <>
        <Link to="/targets/$targetId" params={{ targetId: target.id }} title={target.name}><bdi>{target.name}</bdi></Link>
        <Warnings warnings={target.warnings} />
      </>
    ),
  },
  { id: "test", header: "Last test", width: "minmax(240px, 1.8fr)", cell: (target) => <LastTest test={target.last_test} /> },
  { id: "run", header: "Last run here", width: "200px", from: 620, cell: ({ last_run }) => <LastRun run={last_run} /> },
  // What a card says, in few words.
  { id: "card-test", header: "Last test", width: "0", from: Infinity, card: "mark", cell: ({ last_test }) => <StatusMark look={last_test === null ? NEVER_TESTED : TEST_STATUS[last_test.status]} /> },
  { id: "card-cause", header: "Cause", width: "0", from: Infinity, card: "note", cell: ({ last_test }) => last_test?.code },
  {
    id: "card-run", header: "Last run here", width: "0", from: Infinity, card: "note",
    cell: ({ last_run }) => last_run === null ? "nothing ran" : <>{TASK_STATE[last_run.status].word.toLowerCase()} <Ago at={last_run.at} /></>,
  },
  { id: "os", header: "System", width: "minmax(80px, 1fr)", from: 860, card: "note", cell: (target) => <span title={system(target)}>{system(target)}</span> },
  { id: "address", header: "Address", width: "minmax(120px, 1.2fr)", from: 1_060, cell: (target) => <span className="mono" title={addressOf(target)}>{addressOf(target)}</span> },
  { id: "transport", header: "Transport", width: "136px", from: 1_360, cell: (target) => <span title={transportOf(target)}>{transportOf(target)}</span> },
  { id: "pool", header: "Pool", width: "88px", from: 1_360, cell: ({ pool }) => pool },
  { id: "tags", header: "Tags", width: "minmax(110px, 1.2fr)", from: 1_160, cell: ({ tags }) => <Tags tags={tags} /> },
  {
    id: "credential", header: "Credential", width: "minmax(110px, 1.2fr)", from: 1_160,
    cell: ({ credential_id, credential_name }) => credential_id === null ? <span className="quiet">none</span> : (
      <Link to="/credentials/$credentialId" params={{ credentialId: credential_id }} title={credential_name ?? ""}><bdi>{credential_name}</bdi></Link>
    ),
  },
];
