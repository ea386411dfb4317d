import "@testing-library/jest-dom/vitest";
import { cleanup } from "@testing-library/react";
import { afterEach, vi } from "vitest";

afterEach(cleanup);

const nothing = (): void => undefined;

// What jsdom leaves out and the components ask for.
class NoResizes implements ResizeObserver {
  observe = nothing;
  unobserve = nothing;
  disconnect = nothing;
}
vi.stubGlobal("ResizeObserver", NoResizes);
vi.stubGlobal("matchMedia", (media: string) => ({ matches: false, media, addEventListener: nothing, removeEventListener: nothing }));
Element.prototype.scrollIntoView = nothing;
Object.defineProperty(HTMLElement.prototype, "offsetHeight", { configurable: true, get: () => 800 });
Object.defineProperty(HTMLElement.prototype, "offsetWidth", { configurable: true, get: () => 1200 });
// What virtual lists measure: without a height they show no row at all, and every upper bound would hold.
Object.defineProperty(HTMLElement.prototype, "clientHeight", { configurable: true, get: () => 800 });
Object.defineProperty(HTMLElement.prototype, "clientWidth", { configurable: true, get: () => 1200 });
Element.prototype.scrollTo = function scrollTo(this: Element, ...[where]: unknown[]): void {
  if (typeof where === "object" && where !== null && "top" in where && typeof where.top === "number") this.scrollTop = where.top;
};
