import * as z from "zod/mini";

import { TYPES } from "./types";

/** By name, forwards or backwards; the newest first when left out. */
export const SORTS = ["name", "-name"] as const;

/** The filters of the credential list as they stand in the address. */
export const credentialsSearch = z.object({
  name: z.catch(z.optional(z.string().check(z.maxLength(253))), undefined),
  type: z.catch(z.optional(z.enum(TYPES)), undefined),
  held: z.catch(z.optional(z.literal("yes")), undefined),
  sort: z.catch(z.optional(z.enum(SORTS)), undefined),
});

export type CredentialsFilter = z.output<typeof credentialsSearch>;
