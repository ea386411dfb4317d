import { useSyncExternalStore } from "react";

import { isLapsed, onSessionChange } from "@/api/session";
import { Later } from "@/ui/later";

const load = () => import("./reentry").then((module) => ({ default: module.Reentry }));

/** Stands once in the application; asks for the password when the session has lapsed. */
export const ReentryHost = () =>
  useSyncExternalStore(onSessionChange, isLapsed) ? <Later name="The form to sign in again" load={load}>{(Reentry) => <Reentry />}</Later> : null;
