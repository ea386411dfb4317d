/** Mantine's look, with colours that keep 4.5 : 1 contrast in both schemes (its own do not). */
import { createTheme, type CSSVariablesResolver, defaultVariantColorsResolver, type VariantColorsResolver } from "@mantine/core";

const variantColorResolver: VariantColorsResolver = (input) => {
  const colours = defaultVariantColorsResolver(input);
  const name = input.color ?? input.theme.primaryColor;
  // Mantine's own is a glaring surface in the dark.
  if (input.variant === "light") {
    const soft = (share: number): string => `color-mix(in srgb, var(--mantine-color-${name}-6) ${share}%, var(--panel))`;
    colours.background = `light-dark(${colours.background}, ${soft(16)})`;
    colours.hover = `light-dark(${colours.hover}, ${soft(24)})`;
  }
  if (input.variant === "light" || input.variant === "subtle" || input.variant === "outline")
    return { ...colours, color: `light-dark(color-mix(in srgb, var(--mantine-color-${name}-9) 75%, black), var(--mantine-color-${name}-2))` };
  return colours;
};

export const theme = createTheme({
  primaryColor: "indigo",
  primaryShade: { light: 7, dark: 8 },
  autoContrast: true,
  luminanceThreshold: 0.35,
  variantColorResolver,
  fontFamily: 'system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif',
  fontFamilyMonospace: 'ui-monospace, "Cascadia Mono", "DejaVu Sans Mono", Menlo, monospace',
  fontSizes: { xs: "0.75rem", sm: "0.8125rem", md: "0.875rem", lg: "1rem", xl: "1.125rem" },
  headings: { sizes: { h1: { fontSize: "1.375rem" }, h2: { fontSize: "1.0625rem" }, h3: { fontSize: "0.9375rem" } } },
  defaultRadius: "sm",
  respectReducedMotion: true,
  components: {
    Button: { defaultProps: { size: "xs" } },
    TextInput: { defaultProps: { size: "sm" } },
    PasswordInput: { defaultProps: { size: "sm" } },
    Select: { defaultProps: { size: "sm" } },
    Tooltip: { defaultProps: { withArrow: true, openDelay: 250, multiline: true, maw: 360, events: { hover: true, focus: true, touch: true } } },
    // Their <header> would count as a second banner of the page.
    Modal: { defaultProps: { centered: true, attributes: { header: { role: "presentation" } } } },
    Notification: { defaultProps: { closeButtonProps: { "aria-label": "Dismiss" } } },
    Drawer: { defaultProps: { attributes: { header: { role: "presentation" } } } },
  },
});

export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    "--mantine-color-dimmed": "#565e66",
    "--mantine-color-placeholder": "#646b73",
    "--mantine-color-anchor": "#364fc7",
    "--mantine-color-error": "#b42318",
  },
  dark: {
    "--mantine-color-dimmed": "#a6abb3",
    "--mantine-color-placeholder": "#9aa0a8",
    "--mantine-color-anchor": "#a5b8ff",
    "--mantine-color-error": "#ff9d94",
  },
});
