import { Autocomplete } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";

import { parametersOf } from "@/ui/parameters/model";
import { credentialNamesQuery } from "@/ui/parameters/names";
import { useEditing, usePart } from "./context";
import type { Path } from "./document";
import { hintOf, labelOf } from "./layouts";
import type { Field } from "./schema";
import { asFlat } from "./use-typed";

/** The name of a credential, or a parameter by which people choose one. */
export const CredentialInput = ({ field, path }: { field: Field; path: Path }) => {
  const { definition } = useEditing();
  const { value, set, error } = usePart(path);
  const text = asFlat(value);
  const [part] = useDebouncedValue(text.startsWith("{{") ? "" : text, 200);
  const found = useQuery(credentialNamesQuery(part)).data ?? [];
  const chosen = parametersOf(definition).filter(({ type }) => type === "credential").map(({ name }) => `{{ ${name} }}`);
  return (
    <Autocomplete size="xs" label={labelOf(field.name)} description={hintOf(field)} withAsterisk={field.required} error={error} inputWrapperOrder={["label", "input", "description", "error"]}
      data={[...new Set([...chosen, ...found.map(({ name }) => name)])]} value={text} spellCheck={false} onChange={(next) => set(next === "" ? undefined : next)} />
  );
};
