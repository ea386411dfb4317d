import { Button } from "@mantine/core";
import { infiniteQueryOptions, useInfiniteQuery } from "@tanstack/react-query";

import { api, body, type Schemas } from "@/api/client";
import { legible } from "@/lib/text";
import classes from "./history.module.css";
import { Panel } from "./panel";
import { ErrorState, Loading } from "./states/states";
import { Moment } from "./time";

type Change = Schemas["ChangeView"];
type FieldChange = Schemas["FieldChange"];
type Kept = "target" | "credential";

const PAGE = 20;
const SYSTEM = "system";

const read = (kind: Kept, id: string, cursor: string | null, signal: AbortSignal) => {
  const query = { limit: PAGE, ...(cursor === null ? {} : { cursor }) };
  return kind === "target"
    ? body(api.GET("/api/v1/targets/{target_id}/history", { params: { path: { target_id: id }, query }, signal }))
    : body(api.GET("/api/v1/credentials/{credential_id}/history", { params: { path: { credential_id: id }, query }, signal }));
};

/** Begins with the key of what it tells of, so that whoever changes that has it read again. */
const historyQuery = (kind: Kept, id: string) =>
  infiniteQueryOptions({
    queryKey: [`${kind}s`, "one", id, "history"],
    queryFn: ({ pageParam, signal }) => read(kind, id, pageParam, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
  });

const Value = ({ value }: { value: string | null }) =>
  value === null ? <span className="quiet">not set</span> : value === "" ? <span className="quiet">empty</span> : <bdi className="mono">{legible(value)}</bdi>;

const Field = ({ change: { field, before, after } }: { change: FieldChange }) => (
  <li>
    <span className={classes.field}>{legible(field.replaceAll("_", " "))}</span>
    <span className={classes.values}><Value value={before} /> <span aria-label="became">→</span> <Value value={after} /></span>
  </li>
);

const Entry = ({ change }: { change: Change }) => (
  <tr>
    <td className={classes.at}><Moment at={change.at} /></td>
    <td className={classes.who}><bdi>{change.who === SYSTEM ? "OpsConductor" : (change.who_name ?? legible(change.who))}</bdi></td>
    <td>
      {change.text}{change.reason !== null && <> <q><bdi>{legible(change.reason)}</bdi></q></>}
      {change.changes.length > 0 && <ul className={classes.fields}>{change.changes.map((field) => <Field key={field.field} change={field} />)}</ul>}
    </td>
  </tr>
);

const Entries = ({ kind, id }: { kind: Kept; id: string }) => {
  const query = useInfiniteQuery(historyQuery(kind, id));
  if (query.isPending) return <Loading rows={3} label="Loading its history" />;
  if (query.isError) return <ErrorState error={query.error} onRetry={() => void query.refetch()} />;
  const changes = query.data.pages.flatMap(({ items }) => items);
  if (changes.length === 0) return <p className={classes.none}>Nothing was recorded about it.</p>;
  return (
    <>
      <table className={classes.table} aria-label="History">
        <thead><tr><th scope="col">When</th><th scope="col">Who</th><th scope="col">What</th></tr></thead>
        <tbody>{changes.map((change) => <Entry key={`${change.at} ${change.action}`} change={change} />)}</tbody>
      </table>
      {query.hasNextPage && <Button mt="xs" size="compact-sm" variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>Show earlier changes</Button>}
    </>
  );
};

/** Who changed what of it and when. */
export const History = ({ kind, id }: { kind: Kept; id: string }) => <Panel title="History"><Entries kind={kind} id={id} /></Panel>;
