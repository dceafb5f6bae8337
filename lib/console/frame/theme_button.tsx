import { useStore } from "../store.ts";
import { nextTheme, theme } from "../theme.ts";
import { Button } from "../ui/button.tsx";
import { Icon } from "../ui/icon.tsx";

const LOOKS = {
  system: { icon: "system", text: "as the system" },
  light: { icon: "sun", text: "light" },
  dark: { icon: "moon", text: "dark" },
} as const;

/** Goes round the themes. */
export function ThemeButton() {
  const { icon, text } = LOOKS[useStore(theme)];
  return (
    <Button
      kind="quiet"
      square
      onClick={() => theme.value = nextTheme(theme.value)}
      aria-label={`Colours: ${text}`}
      title={`Colours: ${text}`}
    >
      <Icon name={icon} />
    </Button>
  );
}
