import { ActionIcon, type MantineColorScheme, Tooltip, useMantineColorScheme } from "@mantine/core";
import { Moon, Sun, SunMoon } from "lucide-react";

const NEXT: Readonly<Record<MantineColorScheme, MantineColorScheme>> = { auto: "light", light: "dark", dark: "auto" };
const WORD: Readonly<Record<MantineColorScheme, string>> = { auto: "as the system", light: "light", dark: "dark" };

export const SchemeButton = () => {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const Icon = colorScheme === "auto" ? SunMoon : colorScheme === "light" ? Sun : Moon;
  const label = `Colours: ${WORD[colorScheme]}. Switch to ${WORD[NEXT[colorScheme]]}`;
  return (
    <Tooltip label={label}>
      <ActionIcon variant="default" size="md" aria-label={label} onClick={() => setColorScheme(NEXT[colorScheme])}>
        <Icon size={16} />
      </ActionIcon>
    </Tooltip>
  );
};
