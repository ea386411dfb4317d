import { createRoute } from "@tanstack/react-router";

import { jobSearch, jobsSearch, newJobSearch } from "@/features/jobs/search";
import { withView } from "@/ui/filters";

import { lazyPage } from "./lazy-page";
import { shellRoute } from "./shell-route";

export const jobsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/jobs",
  validateSearch: withView(jobsSearch),
  component: lazyPage(() => import("@/features/jobs/jobs-page"), "JobsPage"),
});

export const newJobRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/jobs/new",
  validateSearch: newJobSearch,
  component: lazyPage(() => import("./job-editor-screen"), "NewJobScreen"),
});

export const jobRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/jobs/$jobId",
  validateSearch: jobSearch,
  component: lazyPage(() => import("./job-screen"), "JobScreen"),
});

export const editJobRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/jobs/$jobId/edit",
  component: lazyPage(() => import("./job-editor-screen"), "EditJobScreen"),
});
