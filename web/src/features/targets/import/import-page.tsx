import { Anchor, Button, Code, FileButton, Group, Stack, Text, Textarea } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useMemo, useState } from "react";

import { credentialChoicesQuery } from "@/features/credentials/api";
import { randomKey } from "@/lib/ids";
import { messageOf, Problem } from "@/lib/problem";
import { Allowed } from "@/ui/allowed";
import { FormAlert } from "@/ui/forms/form-alert";
import { Page } from "@/ui/page";

import { createTarget, targetKeys } from "@/features/targets/api";
import { inTurn } from "@/features/targets/in-turn";
import { COLUMNS, readImport } from "./csv";
import { ImportPreview, type RowResult } from "./import-preview";

const SAMPLE = "name,hostname,os,credential,tags\nweb-1,10.0.0.11,linux,web-operator,web env=prod\nSQL-01,sql-01.example.com,windows,domain-operator,db";

/** Why a row was refused: every field that the gateway named, or what it said as a whole. */
const refusalOf = (error: unknown): string =>
  error instanceof Problem && error.fields.length > 0 ? error.fields.map(({ field, reason }) => `${field}: ${reason}`).join("; ") : messageOf(error);

/** Creates the rows one after the other. Each line keeps its key, so that going on after a break doubles nothing. */
const useImporting = () => {
  const queries = useQueryClient();
  const [batch, setBatch] = useState(randomKey);
  const [results, setResults] = useState<ReadonlyMap<number, RowResult>>(new Map());
  const importing = useMutation({
    mutationFn: (rows: ReturnType<typeof readImport>["rows"]) => {
      const open = rows.filter(({ line, spec }) => spec !== null && results.get(line)?.state !== "created");
      return inTurn(open, async ({ line, spec }) => {
        if (!spec) return;
        const note = (result: RowResult): void => setResults((old) => new Map(old).set(line, result));
        try {
          const { data } = await createTarget(spec, `${batch}-${line}`);
          note({ state: "created", id: data.id });
        } catch (error) {
          note({ state: "refused", reason: refusalOf(error) });
        }
      });
    },
    onSettled: () => queries.invalidateQueries({ queryKey: targetKeys.all }),
  });
  return { importing, results, forget: () => { setResults(new Map()); setBatch(randomKey()); } };
};

export const ImportPage = (): ReactNode => {
  const [text, setText] = useState("");
  const credentials = useQuery(credentialChoicesQuery);
  const { importing, results, forget } = useImporting();
  const ids = useMemo(() => new Map(credentials.data?.items.map(({ name, id }) => [name, id]) ?? []), [credentials.data]);
  const read = useMemo(() => readImport(text, ids), [text, ids]);
  const take = (next: string): void => { setText(next); forget(); };
  const good = read.rows.filter(({ spec }) => spec !== null);
  const open = good.filter(({ line }) => results.get(line)?.state !== "created").length;
  const created = good.length - open;
  return (
    <Page title="Import targets" actions={
      <>
        <FileButton accept=".csv,text/csv,text/plain" onChange={(file) => { if (file) void file.text().then(take); }}>
          {(props) => <Button variant="default" {...props}>Choose a file…</Button>}
        </FileButton>
        <Allowed permission="targets:write" unless={open === 0 ? (created > 0 ? "Everything that could be created was." : "There is nothing to create yet.") : null}>
          <Button loading={importing.isPending} onClick={() => importing.mutate(read.rows)}>Create {open} {open === 1 ? "target" : "targets"}</Button>
        </Allowed>
      </>
    }>
      <Stack gap="sm">
        <Group gap={6} c="dimmed"><Anchor component={Link} to="/targets">Targets</Anchor> / <span>Import</span></Group>
        <Textarea label="CSV" description="Paste it, or choose a file. The first line names the columns; commas, semicolons or tabs divide them. Nothing leaves this page before you press Create."
          placeholder={SAMPLE} rows={6} classNames={{ input: "mono" }} spellCheck={false} value={text} onChange={(event) => take(event.currentTarget.value)} />
        <Text size="sm" c="dimmed">
          Columns: {Object.entries(COLUMNS).map(([column, meaning], place) => <span key={column}>{place > 0 && ", "}<Code>{column}</Code> ({meaning})</span>)}.{" "}
          {text === "" && <Anchor component="button" type="button" size="sm" onClick={() => take(SAMPLE)}>Put an example in</Anchor>}
        </Text>
        <FormAlert text={read.problem} />
        {read.ignored.length > 0 && <Text size="sm">Not understood and left out: <bdi>{read.ignored.join(", ")}</bdi>.</Text>}
        {read.rows.length > 0 && (
          <>
            <Text size="sm" aria-live="polite">
              {read.rows.length} lines: {created > 0 && `${created} created, `}{open} ready, {read.rows.length - good.length} with mistakes.
              {created > 0 && open === 0 && <> <Link to="/targets" search={{ test: "never" }}>Test the new ones</Link></>}
            </Text>
            <ImportPreview rows={read.rows} results={results} />
          </>
        )}
      </Stack>
    </Page>
  );
};
