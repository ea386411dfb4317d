import { lazy, Suspense, useSyncExternalStore } from "react";

import { isLapsed, onSessionChange } from "@/api/session";

const Reentry = lazy(() => import("./reentry").then((module) => ({ default: module.Reentry })));

/** Stands once in the application; asks for the password when the session has lapsed. */
export const ReentryHost = () =>
  useSyncExternalStore(onSessionChange, isLapsed) ? <Suspense fallback={null}><Reentry /></Suspense> : null;
