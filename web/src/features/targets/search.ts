import * as z from "zod/mini";

import type { TestStatus } from "@/ui/status";

const words = (most: number) => z.catch(z.optional(z.string().check(z.minLength(1), z.maxLength(most))), undefined);

/** What the last connection test can have said; `never` has none. */
export const TEST_FILTERS = ["succeeded", "failed", "never"] as const satisfies readonly (TestStatus | "never")[];

/** By name, forwards or backwards; the newest first when left out. */
export const SORTS = ["name", "-name"] as const;

/** The filters of the target list as they stand in the address. What is not understood is left out. */
export const targetsSearch = z.object({
  name: words(253),
  os: z.catch(z.optional(z.enum(["windows", "linux"])), undefined),
  pool: words(32),
  tag: z.catch(z.optional(z.array(z.string()).check(z.maxLength(20))), undefined),
  query: words(2_000),
  test: z.catch(z.optional(z.enum(TEST_FILTERS)), undefined),
  sort: z.catch(z.optional(z.enum(SORTS)), undefined),
});

export type TargetsFilter = z.output<typeof targetsSearch>;
