import { Select } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";

import { targetNamesQuery } from "./target-names";

interface Props {
  label: string;
  description: ReactNode;
  withAsterisk: boolean;
  error: string | null;
  value: string;
  onChange: (name: string) => void;
  clearable: boolean;
  "data-parameter": string;
}

/** The name of a target, found on the server while one types. */
export const TargetParameter = ({ value, onChange, label, ...shown }: Props) => {
  const [typed, setTyped] = useState(value);
  const [part] = useDebouncedValue(typed === value ? "" : typed, 200);
  const found = useQuery(targetNamesQuery(part)).data?.items ?? [];
  const names = [...new Set([...(value === "" ? [] : [value]), ...found.map(({ name }) => name)])];
  return (
    <Select {...shown} label={label} data={names} value={value === "" ? null : value} onChange={(name) => onChange(name ?? "")} searchable
      searchValue={typed} onSearchChange={setTyped} placeholder="Name of a target…" nothingFoundMessage="No target is called that."
      clearButtonProps={{ "aria-label": `No ${label}` }} />
  );
};
