import { Select } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";

import { credentialNamesQuery, targetNamesQuery } from "./names";

interface Props {
  kind: "target" | "credential";
  label: string;
  description: ReactNode;
  withAsterisk: boolean;
  error: string | null;
  value: string;
  onChange: (name: string) => void;
  clearable: boolean;
  "data-parameter": string;
}

/** The name of a target or of a credential, found on the server while one types. */
export const NameParameter = ({ kind, value, onChange, label, ...shown }: Props) => {
  const [typed, setTyped] = useState(value);
  const [part] = useDebouncedValue(typed === value ? "" : typed, 200);
  const targets = useQuery({ ...targetNamesQuery(part), enabled: kind === "target" });
  const credentials = useQuery({ ...credentialNamesQuery(part), enabled: kind === "credential" });
  const found = (kind === "target" ? targets : credentials).data ?? [];
  const names = [...new Set([...(value === "" ? [] : [value]), ...found.map(({ name }) => name)])];
  const noteOf = (name: string): string => found.find((one) => one.name === name)?.note ?? "";
  return (
    <Select {...shown} label={label} data={names} value={value === "" ? null : value} onChange={(name) => onChange(name ?? "")} searchable
      searchValue={typed} onSearchChange={setTyped} placeholder={`Name of a ${kind}…`} nothingFoundMessage={`No ${kind} is called that.`}
      renderOption={({ option }) => <span>{option.value} <span className="quiet">{noteOf(option.value)}</span></span>}
      clearButtonProps={{ "aria-label": `No ${label}` }} />
  );
};
