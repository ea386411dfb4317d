import * as z from "zod/mini";

const words = z.catch(z.optional(z.string().check(z.minLength(1), z.maxLength(63))), undefined);

export const WORKER_STATES = ["serving", "draining", "stale"] as const;

/** The filters of the workers as they stand in the address. What is not understood is left out. */
export const workersSearch = z.object({
  pool: words,
  role: words,
  state: z.catch(z.optional(z.enum(WORKER_STATES)), undefined),
});

export type WorkersFilter = z.output<typeof workersSearch>;
