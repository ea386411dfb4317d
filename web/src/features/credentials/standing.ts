import { IN_ORDER, ON_HOLD, PARTLY_HELD, type StatusLook } from "@/ui/status";

import type { Credential } from "./api";

/** Whether it may be tried at all, everywhere, or with exceptions. */
export const standingOf = (credential: Credential): StatusLook => {
  if (credential.held_at !== null) return ON_HOLD;
  return credential.holds.length > 0 ? PARTLY_HELD : IN_ORDER;
};
