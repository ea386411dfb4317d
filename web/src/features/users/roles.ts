import type { Role } from "@/api/me";

/** What a role may do, in words. Total: a new role does not compile until it stands here. */
export const ROLE: Readonly<Record<Role, { word: string; may: string }>> = {
  viewer: { word: "Viewer", may: "Sees runs, jobs and targets." },
  operator: { word: "Operator", may: "Also starts, cancels and repeats runs, and tests connections." },
  admin: { word: "Administrator", may: "Also changes jobs, targets, credentials and users." },
};

export const ROLES = Object.keys(ROLE) as Role[];

export const ROLE_CHOICES = ROLES.map((value) => ({ value, label: ROLE[value].word }));
