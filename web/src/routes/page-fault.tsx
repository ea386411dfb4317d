import { type ErrorComponentProps, useRouter } from "@tanstack/react-router";
import { useEffect } from "react";

import { isServed, mayReload, NotLoaded } from "@/lib/not-loaded";
import { ErrorState } from "@/ui/states/states";

const LOOK_MS = 3_000;

/** Loads the page anew as soon as the server is there, once for each part that was missing. */
const useReturn = (missing: NotLoaded | null): void => {
  useEffect(() => {
    if (!missing) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = async (): Promise<void> => {
      if (!(await isServed())) timer = setTimeout(() => void look(), LOOK_MS);
      else if (mayReload(missing.part)) window.location.reload();
    };
    void look();
    return () => clearTimeout(timer);
  }, [missing]);
};

/** What stands in place of a page that failed; the frame around it stays. */
export const PageFault = ({ error, reset }: ErrorComponentProps) => {
  const router = useRouter();
  const missing = error instanceof NotLoaded ? error : null;
  useReturn(missing);
  const again = async (): Promise<void> => {
    if (missing) {
      if (await isServed()) window.location.reload();
      return;
    }
    reset();
    await router.invalidate();
  };
  return <ErrorState error={error} onRetry={() => void again()} />;
};
