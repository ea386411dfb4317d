/** What the navigation, the palette and the `g` keys lead to, in this order. Only rooms that exist. */
import {
  Cpu,
  History,
  KeyRound,
  Layers,
  LayoutDashboard,
  ListChecks,
  type LucideIcon,
  Server,
  Users,
} from "lucide-react";

export interface Room {
  to: "/" | "/runs" | "/jobs" | "/targets" | "/credentials" | "/queues" | "/workers" | "/users";
  label: string;
  /** Typed after `g`. */
  key: string;
  Icon: LucideIcon;
}

export const ROOMS: readonly Room[] = [
  { to: "/", label: "Dashboard", key: "d", Icon: LayoutDashboard },
  { to: "/runs", label: "Runs", key: "r", Icon: History },
  { to: "/jobs", label: "Jobs", key: "j", Icon: ListChecks },
  { to: "/targets", label: "Targets", key: "t", Icon: Server },
  { to: "/credentials", label: "Credentials", key: "c", Icon: KeyRound },
  { to: "/queues", label: "Queues", key: "q", Icon: Layers },
  { to: "/workers", label: "Workers", key: "w", Icon: Cpu },
  { to: "/users", label: "Users", key: "u", Icon: Users },
];
