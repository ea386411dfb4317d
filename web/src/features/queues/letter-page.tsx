import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";

import { useFreshness } from "@/api/freshness";
import { shortId } from "@/lib/ids";
import { legible, pretty } from "@/lib/text";
import { Allowed } from "@/ui/allowed";
import { Keyed } from "@/ui/keyed";
import { Page } from "@/ui/page";
import { Panel } from "@/ui/panel";
import { ErrorState, Loading } from "@/ui/states/states";
import { StatusMark } from "@/ui/status-badge";
import { Moment } from "@/ui/time";

import { type LetterDetail, letterQuery, lettersKey, taskRunQuery } from "./api";
import { DiscardDialog, useDeciding } from "./deciding";
import { EditDialog } from "./edit-dialog";
import classes from "./queues.module.css";
import { LETTER_STATUS, messageWords, reasonWords, subjectWords } from "./words";

const RunLink = ({ id, children }: { id: string; children: ReactNode }) => <Link to="/runs/$runId" params={{ runId: id }}>{children}</Link>;

const TaskLink = ({ taskId }: { taskId: string }) => {
  const { data: runId } = useQuery(taskRunQuery(taskId));
  return runId === undefined ? <>a step</> : <RunLink id={runId}>a step of the run {shortId(runId)}</RunLink>;
};

const Subject = ({ letter: { subject_kind: kind, subject_id: id } }: { letter: LetterDetail }) => {
  if (id === null) return <span className="quiet">nothing</span>;
  if (kind === "run") return <RunLink id={id}>the run {shortId(id)}</RunLink>;
  if (kind === "task") return <TaskLink taskId={id} />;
  return <>{subjectWords(kind)} <span className="mono">{shortId(id)}</span></>;
};

const Facts = ({ letter }: { letter: LetterDetail }) => {
  const said = (text: string | null) => (text === null ? <span className="quiet">not recorded</span> : legible(text));
  return (
    <Keyed
      rows={[
        ["Message", <>{messageWords(letter.wire_type)} <span className="quiet mono">{letter.wire_type ?? "unreadable"}</span></>],
        [letter.status === "open" ? "Parks" : "Was about", <Subject letter={letter} />],
        ["Why it is here", reasonWords(letter.reason)],
        ...(letter.first_error === letter.last_error || letter.first_error === null ? [["Error", said(letter.last_error)] as const] : ([
          ["First error", said(letter.first_error)],
          ["Last error", said(letter.last_error)],
        ] as const)),
        ["Tries", letter.attempts],
        ["Since", <Moment at={letter.created_at} />],
        ["Died in queue", <span className="mono">{letter.queue}</span>],
        ["Original exchange", <span className="mono">{letter.exchange}</span>],
        ["Original key", <span className="mono">{legible(letter.routing_key)}</span>],
        ...(letter.resolved_at === null ? [] : ([
          ["Decided", <><Moment at={letter.resolved_at} /> by {letter.resolved_by}</>],
          ["Reason given", said(letter.resolution)],
        ] as const)),
      ]}
    />
  );
};

export const LetterPage = ({ letterId }: { letterId: string }): ReactNode => {
  const query = useQuery(letterQuery(letterId));
  useFreshness("dlq", lettersKey);
  const [editing, setEditing] = useState(false);
  const { replay, discard, discarding, setDiscarding, isPending } = useDeciding(() => undefined);
  if (query.isPending) return <Loading label="Loading the dead letter" />;
  if (!query.data) return <ErrorState error={query.error} onRetry={() => void query.refetch()} />;
  const letter = query.data;
  const decided = letter.status === "open" ? null : `It was ${letter.status} already.`;
  return (
    <Page
      title="Dead letter"
      mark={<StatusMark look={LETTER_STATUS[letter.status]} />}
      actions={
        <>
          <Link to="/queues" search={{ show: "letters" }}>All dead letters</Link>
          <Allowed permission="deadletters:write" unless={decided}>
            <Button loading={isPending} onClick={() => void replay([letter.id])}>Replay</Button>
          </Allowed>
          <Allowed permission="deadletters:write" unless={decided ?? (letter.wire_type === null ? "Nobody knows what message this was meant to be." : null)}>
            <Button variant="default" onClick={() => setEditing(true)}>Edit and replay…</Button>
          </Allowed>
          <Allowed permission="deadletters:write" unless={decided}>
            <Button variant="light" color="red" onClick={() => setDiscarding([letter.id])}>Discard…</Button>
          </Allowed>
        </>
      }
    >
      <div className={classes.detail}>
        <Panel title="What happened"><Facts letter={letter} /></Panel>
        <div className={classes.column}>
          <Panel title={letter.body_encoding === "text" ? "Body" : "Body (base64)"}>
            <pre className={classes.text} tabIndex={0}>{legible(letter.body_encoding === "text" ? pretty(letter.body) : letter.body)}</pre>
          </Panel>
          <Panel title="Headers">
            <pre className={classes.text} tabIndex={0}>{legible(JSON.stringify(letter.headers, null, 2))}</pre>
          </Panel>
        </div>
      </div>
      {editing && <EditDialog letter={letter} onClose={() => setEditing(false)} />}
      {discarding && <DiscardDialog ids={discarding} onClose={() => setDiscarding(null)} onDiscard={discard} />}
    </Page>
  );
};
