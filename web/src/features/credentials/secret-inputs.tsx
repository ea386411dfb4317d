import { PasswordInput, SegmentedControl, Stack, Textarea } from "@mantine/core";
import { useState } from "react";

import type { FormProblems } from "@/ui/forms/problems";

import type { CredentialType, Secrets } from "./api";
import { KINDS, type SecretField } from "./types";

interface Props {
  type: CredentialType;
  secrets: Secrets;
  onChange: (secrets: Secrets) => void;
  problems: FormProblems;
}

/** Keeps browsers and password managers from storing or filling in what belongs to a machine. */
const UNSTORED = { autoComplete: "new-password", "data-1p-ignore": true, "data-lpignore": "true", spellCheck: false } as const;

const reading = async (file: File | undefined, take: (text: string) => void): Promise<void> => {
  if (file) take(await file.text());
};

const SecretInput = ({ field, value, onChange, error }: { field: SecretField; value: string; onChange: (text: string) => void; error: string | null }) => {
  const common = {
    label: field.label, description: field.hint, required: field.required ?? false, value, error, ...UNSTORED,
  };
  if (!field.long)
    return (
      <PasswordInput {...common} onChange={(event) => onChange(event.currentTarget.value)}
        visibilityToggleButtonProps={{ "aria-label": `Show: ${field.label}` }} />
    );
  return (
    <Textarea {...common} rows={5} classNames={{ input: "mono" }}
      onChange={(event) => onChange(event.currentTarget.value)}
      onDrop={(event) => { event.preventDefault(); void reading(event.dataTransfer.files[0], onChange); }} />
  );
};

/** The secrets of one kind. They live in the state of whoever holds this, and are gone when that is closed. */
export const SecretInputs = ({ type, secrets, onChange, problems }: Props) => {
  const { proofs } = KINDS[type];
  const [chosen, setChosen] = useState(proofs[0]?.id ?? "");
  const proof = proofs.find(({ id }) => id === chosen) ?? proofs[0];
  const choose = (id: string): void => {
    setChosen(id);
    onChange({});
  };
  const set = (field: SecretField, text: string): void => {
    const { [field.name]: _, ...rest } = secrets;
    onChange(text === "" ? rest : { ...rest, [field.name]: text });
  };
  return (
    <Stack gap="sm">
      {proofs.length > 1 && (
        <SegmentedControl aria-label="How it signs in" data={proofs.map(({ id, label }) => ({ value: id, label }))} value={chosen} onChange={choose} />
      )}
      {proof?.fields.map((field) => (
        <SecretInput key={`${proof.id} ${field.name}`} field={field} value={secrets[field.name] ?? ""} onChange={(text) => set(field, text)}
          error={problems.of(field.name)} />
      ))}
    </Stack>
  );
};
