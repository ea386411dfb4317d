import { createRootRoute, Link, Outlet } from "@tanstack/react-router";

import { Page } from "@/ui/page";
import { EmptyState } from "@/ui/states/states";

import { PageFault } from "./page-fault";

export const rootRoute = createRootRoute({
  component: Outlet,
  errorComponent: (fault) => <main><PageFault {...fault} /></main>,
  notFoundComponent: () => (
    <main style={{ padding: 24 }}>
      <Page title="Not here">
        <EmptyState title="There is no such page" action={<Link to="/">Go to the first page</Link>}>
          The address may be old, or mistyped.
        </EmptyState>
      </Page>
    </main>
  ),
});
