/** Whether somebody should be led through the first steps. */
import { api, body } from "@/api/client";
import type { Me } from "@/api/me";
import { readItem, writeItem } from "@/lib/storage";

const SKIPPED = "ops.welcome-skipped";
/** What a sandbox machine is known by. */
export const SIMULATED = "simulated";

let over = false;

/** Whoever asks never to be led again, on this browser. */
export const skipWelcome = (me: Me): void => writeItem(SKIPPED, me.id);

/** Only who may add machines is led, and only while there are none but the sandbox's. Asks once it knows better never again. */
export const wantsWelcome = async (): Promise<boolean> => {
  if (over) return false;
  const me = await body(api.GET("/api/v1/me"));
  if (!me.permissions.includes("targets:write") || readItem(SKIPPED) === me.id) return false;
  const own = await body(api.GET("/api/v1/targets", { params: { query: { query: `!tag:${SIMULATED}`, limit: 1 } } }));
  over = own.items.length > 0;
  return !over;
};
