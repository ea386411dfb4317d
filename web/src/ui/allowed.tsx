import { Tooltip } from "@mantine/core";
import { cloneElement, type ReactElement } from "react";

import { type Permission, useRefusal } from "@/api/me";

interface Control {
  disabled?: boolean;
  "data-disabled"?: boolean;
  "aria-disabled"?: boolean;
  onClick?: ((event: React.MouseEvent) => void) | undefined;
}

/**
 * A button that stays visible to those who may not press it, and says why. It keeps the focus, so that a
 * keyboard and a screen reader reach the reason. `unless` is a reason of your own ("The run has ended.").
 */
export const Allowed = ({
  permission,
  unless = null,
  children,
}: {
  permission: Permission;
  unless?: string | null;
  children: ReactElement<Control>;
}) => {
  const refusal = useRefusal(permission) ?? unless;
  if (refusal === null) return children;
  return (
    <Tooltip label={refusal}>
      {cloneElement(children, {
        "data-disabled": true,
        "aria-disabled": true,
        onClick: (event: React.MouseEvent) => event.preventDefault(),
      })}
    </Tooltip>
  );
};
