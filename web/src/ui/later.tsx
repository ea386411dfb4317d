import { Component, type ComponentType, lazy, type ReactNode, Suspense, useState } from "react";

import { arriving, NotLoaded } from "@/lib/not-loaded";

import classes from "./later.module.css";

type Load<Props> = () => Promise<{ default: ComponentType<Props> }>;

/** Catches only what could not be loaded; other faults go on to whoever is for them. */
class Watch extends Component<{ fault: (error: NotLoaded) => ReactNode; children: ReactNode }, { error: unknown }> {
  override state: { error: unknown } = { error: null };

  static getDerivedStateFromError(error: unknown): { error: unknown } {
    return { error };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (error === null) return this.props.children;
    if (!(error instanceof NotLoaded)) throw error;
    return this.props.fault(error);
  }
}

const Missing = ({ name, again, tries, onGiveUp }: { name: string; again: () => void; tries: number; onGiveUp: (() => void) | undefined }) => (
  <div role="alert" className={onGiveUp ? classes.floating : classes.place}>
    <p>{name} could not be loaded: OpsConductor cannot be reached, or was updated meanwhile. What stands on this page is untouched.</p>
    <div className={classes.buttons}>
      <button type="button" onClick={again}>Load it again</button>
      {tries > 0 && <button type="button" onClick={() => window.location.reload()}>Reload the page</button>}
      {onGiveUp && <button type="button" onClick={onGiveUp}>Close</button>}
    </div>
  </div>
);

interface Props<PartProps> {
  /** What people call it, at the beginning of a sentence. */
  name: string;
  /** The same function each time. */
  load: Load<PartProps>;
  /** For what is asked for, such as a dialog: take the question back. Without it the fault stands in the part's own place. */
  onGiveUp?: () => void;
  fallback?: ReactNode;
  children: (Part: ComponentType<PartProps>) => ReactNode;
}

/** A part of a page that is loaded when it is first shown. Where it cannot be, only it says so, and it can be loaded again. */
export const Later = <PartProps,>({ name, load, onGiveUp, fallback = null, children }: Props<PartProps>) => {
  const make = (): ComponentType<PartProps> => lazy(() => arriving(name, load));
  const [{ Part, tries }, setPart] = useState(() => ({ Part: make(), tries: 0 }));
  const again = (): void => setPart({ Part: make(), tries: tries + 1 });
  return (
    <Watch key={tries} fault={() => <Missing name={name} again={again} tries={tries} onGiveUp={onGiveUp} />}>
      <Suspense fallback={fallback}>{children(Part)}</Suspense>
    </Watch>
  );
};
