import { useState } from "react";

import { same, type Value } from "./document";

/**
 * The text of an input whose value is not text: what is typed stays as typed while it still means the value
 * (`1.`, `a, `), and gives way when the value is changed elsewhere.
 */
export const useTyped = (
  value: Value | undefined,
  format: (value: Value | undefined) => string,
  parse: (text: string) => Value | undefined,
  set: (value: Value | undefined) => void,
): [string, (text: string) => void] => {
  const [typed, setTyped] = useState(() => format(value));
  const shown = same(parse(typed), value) ? typed : format(value);
  return [shown, (text) => { setTyped(text); set(parse(text)); }];
};

/** What is no number stays what it is, so that the form can say so. */
export const asNumber = (text: string): Value | undefined =>
  text.trim() === "" ? undefined : Number.isFinite(Number(text)) ? Number(text) : text;

export const asNumbers = (text: string): Value | undefined => {
  const words = text.split(/[\s,;]+/).filter(Boolean);
  return words.length === 0 ? undefined : words.map((word) => asNumber(word) ?? word);
};

export const asLines = (text: string): Value | undefined => (text === "" ? undefined : text.split("\n"));

export const asFlat = (value: Value | undefined): string =>
  value === undefined || value === null ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);

export const joined = (separator: string) => (value: Value | undefined): string =>
  Array.isArray(value) ? (value as readonly Value[]).map(asFlat).join(separator) : asFlat(value);
