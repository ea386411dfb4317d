import { type AsyncRouteComponent, lazyRouteComponent } from "@tanstack/react-router";
import type { ComponentType } from "react";

import { arriving } from "@/lib/not-loaded";

/** A page that is loaded when it is gone to. Where it cannot be, its place says so (`PageFault`). */
export const lazyPage = <Name extends string, Props>(
  load: () => Promise<Readonly<Record<Name, ComponentType<Props>>>>,
  name: Name,
): AsyncRouteComponent<Props> =>
  lazyRouteComponent(async () => ({ default: (await arriving(name, load))[name] })) as AsyncRouteComponent<Props>;
