import type { StatusLook } from "@/ui/status";

export const ACTIVE: StatusLook = { word: "Active", glyph: "●", tone: "ok", meaning: "It can be run." };
export const INACTIVE: StatusLook = { word: "Inactive", glyph: "‖", tone: "off", meaning: "Runs are refused until somebody activates it." };
