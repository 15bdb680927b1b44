/** How the dashboard looks: Mantine's theme, and the few variables of it that are too faint for WCAG AA. */
import { createTheme, type CSSVariablesResolver } from "@mantine/core";
import switches from "./parts/Switch.module.css";

export const theme = createTheme({
  primaryColor: "indigo",
  primaryShade: { light: 7, dark: 7 },
  defaultRadius: "md",
  cursorType: "pointer",
  fontFamily: 'Inter, ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace',
  headings: { fontWeight: "650", sizes: { h1: { fontSize: "1.5rem", lineHeight: "1.3" }, h2: { fontSize: "1.05rem", lineHeight: "1.4" } } },
  components: {
    Tooltip: { defaultProps: { withArrow: true, openDelay: 200 } },
    Modal: { defaultProps: { centered: true, overlayProps: { backgroundOpacity: 0.45, blur: 2 } } },
    Badge: { defaultProps: { variant: "light", radius: "sm" }, styles: { root: { textTransform: "none", fontWeight: 600, minWidth: "max-content" } } },
    Card: { defaultProps: { withBorder: true, padding: "md" } },
    Switch: { classNames: { track: switches["track"] } },
    Drawer: { defaultProps: { position: "right", size: "lg", padding: "lg" } },
  },
});

/** Text on the tint of its own colour, dark enough on light and light enough on dark. */
const INK: Record<string, [light: string, dark: string]> = {
  indigo: ["#2f44ad", "#b9c8ff"],
  teal: ["#055e46", "#7fe3c3"],
  green: ["#1b5e28", "#8ce99a"],
  red: ["#a51111", "#ffb3b3"],
  orange: ["#8f3303", "#ffc078"],
  yellow: ["#704600", "#ffe066"],
  blue: ["#10518f", "#a5d8ff"],
  violet: ["#4f2bb3", "#d0bfff"],
  gray: ["#3b4249", "#ced4da"],
};

/** Red as a surface, dark enough for white words. */
const DANGER = { "--mantine-color-red-filled": "#c92a2a", "--mantine-color-red-filled-hover": "#b02525" };

export const legible: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    "--mantine-color-dimmed": "#565e66",
    "--mantine-color-error": "#c92a2a",
    "--mantine-color-placeholder": "#6b737b",
    "--mantine-color-anchor": "#3b5bdb",
    ...DANGER,
    "--clarion-surface": "#f7f8fa",
    ...inks(0),
  },
  dark: {
    "--mantine-color-dimmed": "#a6adb4",
    "--mantine-color-error": "#ff8787",
    "--mantine-color-placeholder": "#8f979f",
    "--mantine-color-anchor": "#91a7ff",
    ...DANGER,
    "--clarion-surface": "#1b1c1f",
    ...inks(1),
  },
});

function inks(scheme: 0 | 1): Record<string, string> {
  return Object.fromEntries(Object.entries(INK).map(([color, ink]) => [`--mantine-color-${color}-light-color`, ink[scheme]]));
}
