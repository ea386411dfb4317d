import * as z from "zod/mini";

import type { LetterStatus } from "./api";

const words = (most: number) => z.catch(z.optional(z.string().check(z.minLength(1), z.maxLength(most))), undefined);

export const SHOWS = ["queues", "letters"] as const;
export const LETTER_STATUSES = ["open", "replayed", "discarded"] as const satisfies readonly LetterStatus[];

/** Which half of the room is shown, and the filters of the dead letters. What is not understood is left out. */
export const queuesSearch = z.object({
  show: z.catch(z.optional(z.enum(SHOWS)), undefined),
  status: z.catch(z.optional(z.enum(LETTER_STATUSES)), undefined),
  queue: words(200),
  cause: words(600),
  q: words(200),
});

export type QueuesSearch = z.output<typeof queuesSearch>;
