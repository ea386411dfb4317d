import { MultiSelect, SegmentedControl, Stack, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { messageOf } from "@/lib/problem";
import { targetNamesQuery } from "@/ui/parameters/names";

import { previewQuery, type Targets } from "./api";

export type Choice = { mode: "own" } | { mode: "names"; names: string[] } | { mode: "query"; query: string };

export const targetsOf = (choice: Choice): Targets => {
  if (choice.mode === "names") return choice.names;
  return choice.mode === "query" ? { query: choice.query.trim(), on_empty: "fail" } : null;
};

/** Why this choice cannot be sent yet. */
export const choiceRefusal = (choice: Choice): string | null => {
  if (choice.mode === "names" && choice.names.length === 0) return "choose at least one target";
  return choice.mode === "query" && choice.query.trim() === "" ? "write a query" : null;
};

const MODES = [{ value: "own", label: "The job's own" }, { value: "names", label: "These" }, { value: "query", label: "By query" }];

/** Names of targets, found on the server while one types. */
export const TargetNames = ({ value, onChange, error, label, size = "sm" }: { value: string[]; onChange: (names: string[]) => void; error?: string | null; label: string; size?: "xs" | "sm" }) => {
  const [typed, setTyped] = useState("");
  const [part] = useDebouncedValue(typed, 200);
  const found = useQuery(targetNamesQuery(part)).data ?? [];
  const names = [...new Set([...value, ...found.map(({ name }) => name)])];
  return (
    <MultiSelect size={size} aria-label={label} placeholder={value.length === 0 ? "Name of a target…" : ""} searchable hidePickedOptions data={names} value={value}
      onChange={onChange} searchValue={typed} onSearchChange={setTyped} nothingFoundMessage="No target is called that." error={error}
      limit={50} clearable clearButtonProps={{ "aria-label": "No target" }} />
  );
};

/** How many targets, and which, that would be now. */
export const LiveCount = ({ definition, targets }: { definition: Record<string, unknown>; targets: Targets }) => {
  const [asked] = useDebouncedValue(targets, 300);
  const preview = useQuery(previewQuery(definition, asked));
  if (preview.isPending) return <Text size="sm" c="dimmed" aria-live="polite">Counting…</Text>;
  if (preview.isError) return <Text size="sm" c="var(--mantine-color-error)" aria-live="polite">{messageOf(preview.error)}</Text>;
  const { count, steps } = preview.data;
  const names = [...new Set(steps.flatMap((step) => step.targets))];
  const missing = [...new Set(steps.flatMap((step) => step.missing))];
  return (
    <Text size="sm" aria-live="polite" className="grow" component="div">
      <b>{count} {count === 1 ? "target" : "targets"}</b>
      {names.length > 0 && <span className="quiet"> {names.slice(0, 6).join(", ")}{count > 6 ? ", …" : ""}</span>}
      {missing.length > 0 && <Text size="sm" c="var(--mantine-color-error)">There is no target named {missing.join(", ")}.</Text>}
    </Text>
  );
};

/** Which targets a run is for: the job's own, chosen names, or whatever fits a query. */
export const TargetsPicker = ({ choice, onChange, definition, error }: {
  choice: Choice;
  onChange: (choice: Choice) => void;
  definition: Record<string, unknown>;
  error: string | null;
}) => {
  const turn = (mode: string): void => {
    if (mode === "names") onChange({ mode, names: [] });
    else if (mode === "query") onChange({ mode, query: "" });
    else onChange({ mode: "own" });
  };
  return (
    <Stack gap={6} role="group" aria-label="Targets">
      <Text size="sm" fw={500}>Targets</Text>
      <SegmentedControl data={MODES} value={choice.mode} onChange={turn} aria-label="Which targets" size="xs" fullWidth />
      {choice.mode === "names" && <TargetNames label="Names of targets" value={choice.names} onChange={(names) => onChange({ mode: "names", names })} error={error} />}
      {choice.mode === "query" && (
        <TextInput aria-label="Query" placeholder="os:linux tag:role=web !name:old-*" className="mono" value={choice.query} error={error} spellCheck={false}
          onChange={(event) => onChange({ mode: "query", query: event.currentTarget.value })} />
      )}
      {choice.mode === "own" && error !== null && <Text size="sm" c="var(--mantine-color-error)" role="alert">{error}</Text>}
      {choiceRefusal(choice) === null && <LiveCount definition={definition} targets={targetsOf(choice)} />}
    </Stack>
  );
};
