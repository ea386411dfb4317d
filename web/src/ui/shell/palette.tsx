import { Spotlight, spotlight, type SpotlightActionGroupData } from "@mantine/spotlight";
import "@mantine/spotlight/styles.css";
import { Search } from "lucide-react";
import { useEffect, useMemo } from "react";

import { type Command, useAllCommands } from "@/ui/commands";

const grouped = (commands: readonly Command[]): SpotlightActionGroupData[] =>
  [...new Set(commands.map((command) => command.group))].map((group) => ({
    group,
    actions: commands
      .filter((command) => command.group === group)
      .map((command) => ({
        id: command.id,
        label: command.label,
        keywords: [...(command.keywords ?? []), command.group],
        disabled: Boolean(command.refusal),
        onClick: command.run,
        ...((command.refusal ?? command.hint) ? { description: command.refusal ?? command.hint ?? "" } : {}),
      })),
  }));

/** Loaded at the first Ctrl-K, and open from then on whenever asked. */
const Palette = () => {
  const commands = useAllCommands();
  const actions = useMemo(() => grouped(commands), [commands]);
  useEffect(() => spotlight.open(), []);
  return (
    <Spotlight
      actions={actions}
      highlightQuery
      scrollable
      maxHeight={440}
      shortcut={null}
      nothingFound="Nothing is called that here."
      searchProps={{ leftSection: <Search size={16} />, placeholder: "Go to, or do…", "aria-label": "Go to, or do" }}
    />
  );
};

export default Palette;
