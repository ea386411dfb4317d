import { PasswordInput, type PasswordInputProps } from "@mantine/core";
import { type KeyboardEvent, useState } from "react";

/** A password input that says when Caps Lock is on. */
export const PasswordField = ({ description, ...props }: PasswordInputProps) => {
  const [caps, setCaps] = useState(false);
  const look = (event: KeyboardEvent): void => setCaps(event.getModifierState("CapsLock"));
  return (
    <PasswordInput
      {...props}
      onKeyDown={look}
      onKeyUp={look}
      description={caps ? "Caps Lock is on." : description}
      visibilityToggleButtonProps={{ "aria-label": "Show the password" }}
    />
  );
};
