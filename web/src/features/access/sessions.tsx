import { Button, Text } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { ErrorState, Loading } from "@/ui/states/states";
import { Ago, Moment } from "@/ui/time";
import { toastDone, toastProblem } from "@/ui/toasts";

import { endSession, sessionsQuery } from "./api";
import classes from "./me.module.css";

/** Where this user is signed in, newest first, each to be ended. */
export const Sessions = () => {
  const queries = useQueryClient();
  const query = useQuery(sessionsQuery);
  const revoke = useMutation({
    mutationFn: endSession,
    onSuccess: () => toastDone("The session has ended."),
    onError: (error) => toastProblem("The session goes on", error),
    onSettled: () => queries.invalidateQueries({ queryKey: sessionsQuery.queryKey }),
  });
  if (query.isPending) return <Loading rows={3} label="Loading sessions" />;
  if (query.isError) return <ErrorState error={query.error} onRetry={() => void query.refetch()} />;
  return (
    <>
      <table className={classes.table}>
        <thead><tr><th scope="col">Signed in</th><th scope="col">Last renewed</th><th scope="col">Ends</th><th scope="col"><span className="quiet">Action</span></th></tr></thead>
        <tbody>
          {query.data.items.map((session) => (
            <tr key={session.id}>
              <td><Moment at={session.signed_in_at} /></td>
              <td><Ago at={session.renewed_at} /></td>
              <td><Ago at={session.expires_at} /></td>
              <td><Button variant="default" size="compact-xs" loading={revoke.isPending && revoke.variables === session.id} onClick={() => revoke.mutate(session.id)}>End</Button></td>
            </tr>
          ))}
        </tbody>
      </table>
      <Text size="sm" c="dimmed" mt="xs">One line for each sign-in of yours; this browser&apos;s is usually the one renewed last. Ending it asks for the password again within 15 minutes.</Text>
    </>
  );
};
