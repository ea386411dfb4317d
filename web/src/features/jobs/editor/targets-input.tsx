import { SegmentedControl, Select, Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";

import { TargetNames } from "@/features/jobs/targets-picker";
import { usePart } from "./context";
import { isList, isMapping, type Path, partOf, type Value } from "./document";
import { asFlat } from "./use-typed";

type Mode = "inherit" | "names" | "query";

const modeOf = (value: Value | undefined): Mode => {
  if (value === undefined || value === null || value === "" || (Array.isArray(value) && value.length === 0)) return "inherit";
  return isMapping(value) ? "query" : "names";
};

/** Names of targets, a query, or nothing, which leaves it to others. */
export const TargetsInput = ({ path, label, hint, inherit }: { path: Path; label: string; hint: string | null; inherit: string }) => {
  const { value, set, error } = usePart(path);
  const [wanted, setWanted] = useState<Mode>("inherit");
  const told = modeOf(value);
  const mode = told === "inherit" ? wanted : told;
  const names = (isList(value) ? value : typeof value === "string" && value !== "" ? [value] : []).map(asFlat);
  const turn = (next: string): void => {
    setWanted(next as Mode);
    if (next === "query") set({ query: "" });
    else if (told !== "inherit") set(undefined);
  };
  return (
    <Stack gap={5} role="group" aria-label={label} style={{ gridColumn: "1 / -1" }}>
      <Text size="xs" fw={500} component="div">{label}</Text>
      <SegmentedControl size="xs" w="fit-content" aria-label={`${label}: which`} value={mode} onChange={turn}
        data={[{ value: "inherit", label: inherit }, { value: "names", label: "These" }, { value: "query", label: "By query" }]} />
      {mode === "names" && <TargetNames size="xs" label={`${label}: names`} value={names} error={error} onChange={(next) => set(next.length === 0 ? undefined : next.length === 1 ? (next[0] ?? "") : next)} />}
      {mode === "query" && (
        <>
          <TextInput size="xs" aria-label={`${label}: query`} placeholder="os:linux tag:role=web !name:old-*" value={asFlat(partOf(value, ["query"]))} error={error} spellCheck={false}
            onChange={(event) => set({ ...(isMapping(value) ? value : {}), query: event.currentTarget.value })} />
          <Select size="xs" aria-label={`${label}: when nothing fits`} w={260} data={[{ value: "fail", label: "When nothing fits: fail" }, { value: "skip", label: "When nothing fits: leave it out" }]}
            value={asFlat(partOf(value, ["on_empty"])) || "fail"} allowDeselect={false}
            onChange={(next) => set({ query: asFlat(partOf(value, ["query"])), ...(next === "skip" ? { on_empty: "skip" } : {}) })} />
        </>
      )}
      {mode === "inherit" && error !== null && <Text size="sm" c="var(--mantine-color-error)">{error}</Text>}
      {hint !== null && mode === "inherit" && <Text size="xs" c="dimmed">{hint}</Text>}
    </Stack>
  );
};
