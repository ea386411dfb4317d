import { Button, Group, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { Allowed } from "@/ui/allowed";

import { addressOf, OS_WORD } from "@/features/targets/addressing";
import type { Target } from "@/features/targets/api";
import { TargetForm } from "@/features/targets/form/target-form";
import classes from "@/features/targets/targets.module.css";
import { simulatedQuery } from "./sample";

/** One of one's own, or one that came with this installation. */
export const ChooseMachine = ({ onChosen }: { onChosen: (target: Target) => void }) => {
  const simulated = useQuery(simulatedQuery).data?.items ?? [];
  const [own, setOwn] = useState(false);
  if (own) return <TargetForm edited={null} onSaved={onChosen} onCancel={() => setOwn(false)} saveVerb="Save and go on" />;
  return (
    <Stack gap="sm">
      <Text>
        A target is a machine that steps run on: Linux over SSH, Windows over WinRM. Nothing is installed there; all it takes is its address and an account,
        which you can add in the same form.
      </Text>
      <Group gap="xs">
        <Allowed permission="targets:write"><Button onClick={() => setOwn(true)}>Add my machine</Button></Allowed>
      </Group>
      {simulated.length > 0 && (
        <>
          <Text size="sm" c="dimmed">Or take a simulated machine that runs beside this installation, to look around first:</Text>
          <Group gap="xs">
            {simulated.map((target) => (
              <Button key={target.id} variant="default" onClick={() => onChosen(target)} title={addressOf(target)}>
                <span className={classes.tag}>{OS_WORD[target.os]}</span>{target.name}
              </Button>
            ))}
          </Group>
        </>
      )}
    </Stack>
  );
};
