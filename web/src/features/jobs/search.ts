import * as z from "zod/mini";

/** By name, forwards or backwards; the newest first when left out. */
export const SORTS = ["name", "-name"] as const;

/** The filters of the job list as they stand in the address. What is not understood is left out. */
export const jobsSearch = z.object({
  name: z.catch(z.optional(z.string().check(z.maxLength(200))), undefined),
  active: z.catch(z.optional(z.enum(["yes", "no"])), undefined),
  sort: z.catch(z.optional(z.enum(SORTS)), undefined),
});

export type JobsFilter = z.output<typeof jobsSearch>;

/** What part of a job is shown, and which two versions are compared. */
export const jobSearch = z.object({
  tab: z.catch(z.optional(z.enum(["runs", "versions"])), undefined),
  from: z.catch(z.optional(z.int()), undefined),
  to: z.catch(z.optional(z.int()), undefined),
});

export type JobSearch = z.output<typeof jobSearch>;

/** A new job may begin as a copy of another one. */
export const newJobSearch = z.object({ copy: z.catch(z.optional(z.uuid()), undefined) });
