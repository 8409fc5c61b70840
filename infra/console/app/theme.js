import { signal } from "./ui.js";

const key = "levada.theme";

/** The ways to choose the colours. */
export const themes = ["system", "light", "dark"];

/** theme is what was chosen. early.js has set it already. */
export const theme = signal(document.documentElement.dataset.theme ?? "system");

/** choose sets the colours, here and for the next visit. */
export function choose(next) {
  theme.value = next;
  if (next === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = next;
  try {
    if (next === "system") localStorage.removeItem(key);
    else localStorage.setItem(key, next);
  } catch {} // it is for this visit alone, then
}
