import { Tabs } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { useMe, useRefusal } from "@/api/me";
import { useFilters } from "@/ui/filters";
import { Page } from "@/ui/page";
import { EmptyState, Loading } from "@/ui/states/states";

import { groupsQuery } from "./api";
import { BrokerPanels } from "./broker-panels";
import { Letters } from "./letters";
import classes from "./queues.module.css";
import { queuesSearch } from "./search";

const SHOW_APART = ["show"];

export const QueuesPage = (): ReactNode => {
  const navigate = useNavigate();
  const filters = useFilters(queuesSearch, SHOW_APART);
  const refusal = useRefusal("deadletters:read");
  const unknown = useMe() === undefined;
  const open = useQuery({ ...groupsQuery, enabled: refusal === null }).data?.reduce((total, group) => total + group.count, 0);
  const show = filters.values.show ?? "queues";
  return (
    <Page title="Queues and dead letters">
      <Tabs value={show} keepMounted={false} className={classes.tabs ?? ""} onChange={(tab) => void navigate({ to: "/queues", search: tab === "letters" ? { show: "letters" } : {} })}>
        <Tabs.List mb="sm">
          <Tabs.Tab value="queues">Queues</Tabs.Tab>
          <Tabs.Tab value="letters">Dead letters{open ? ` (${open})` : ""}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="queues"><BrokerPanels /></Tabs.Panel>
        <Tabs.Panel value="letters" className={classes.tabs ?? ""}>
          {unknown ? <Loading label="Loading dead letters" /> : refusal === null ? <Letters filters={filters} /> : <EmptyState title="Not for you to see">{refusal}</EmptyState>}
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
};
