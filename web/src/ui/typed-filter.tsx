import { TextInput, type TextInputProps } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { useState } from "react";

const SETTLED_MS = 300;

interface Props extends Omit<TextInputProps, "value" | "onChange"> {
  "aria-label": string;
  value: string | undefined;
  onChange: (value: string | undefined) => void;
}

/** A filter that is typed; it acts a moment after the last key, and shows what was set elsewhere. */
export const TypedFilter = ({ value, onChange, ...rest }: Props) => {
  const [text, setText] = useState(value ?? "");
  const [seen, setSeen] = useState(value);
  const [told, setTold] = useState(value);
  const tell = useDebouncedCallback((words: string | undefined) => {
    setTold(words);
    onChange(words);
  }, SETTLED_MS);
  if (value !== seen) {
    setSeen(value);
    // What was typed here is left as it was typed.
    if (value !== told) {
      setTold(value);
      setText(value ?? "");
    }
  }
  const type = (words: string): void => {
    setText(words);
    tell(words.trim() || undefined);
  };
  return <TextInput {...rest} value={text} onChange={(event) => type(event.currentTarget.value)} />;
};
