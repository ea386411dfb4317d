import { Skeleton } from "@mantine/core";
import { lazy, Suspense } from "react";

import type { Props } from "./code-box";

const CodeBox = lazy(() => import("./code-box"));

/** The form is there at once; the editors of its texts come after it. */
export const LazyCodeBox = (props: Props) => (
  <Suspense fallback={<Skeleton h={props.tall ? "100%" : 110} />}>
    <CodeBox {...props} />
  </Suspense>
);
