import { render, screen } from "@testing-library/react";
import { expect, test } from "vitest";

import { depthWords, Spark } from "./spark";

test("the line of depths is told in words, and a gap is a gap", () => {
  const { container } = render(<Spark depths={[1, 2, null, 1_500, 3]} seconds={15} slots={240} />);

  expect(screen.getByRole("img", { name: "Last 1 min: at most 1,500, at least 1" })).toBeInTheDocument();
  const lines = [...container.querySelectorAll("polyline")].map((line) => line.getAttribute("points")?.split(" ").length);
  expect(lines).toEqual([2, 2]);
  expect(container.querySelector("polyline:last-of-type")?.getAttribute("points")).toMatch(/^119\.5,1\.|^119\.5,2\.0 120\.0/);
});

test("a queue nobody has looked at says so", () => {
  expect([depthWords([], 15), depthWords([null], 15)]).toEqual(["Not looked at yet.", "Not looked at yet."]);
});
