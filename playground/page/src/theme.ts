import { useEffect, useState } from "react";
import { useRemembered } from "./remembered";

type Theme = "light" | "dark";

const dark = window.matchMedia("(prefers-color-scheme: dark)");

/** As the system says, until somebody chooses here. */
export function useTheme() {
  const [chosen, choose] = useRemembered<Theme | null>("theme", null);
  const [isDark, setDark] = useState(dark.matches);
  useEffect(() => {
    const changed = () => setDark(dark.matches);
    dark.addEventListener("change", changed);
    return () => dark.removeEventListener("change", changed);
  }, []);
  const theme: Theme = chosen ?? (isDark ? "dark" : "light");
  useEffect(() => {
    document.documentElement.dataset.colors = theme;
  }, [theme]);
  return { theme, isChosen: chosen !== null, toggle: () => choose(theme === "dark" ? "light" : "dark") };
}
