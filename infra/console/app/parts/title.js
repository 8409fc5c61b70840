import { html, useLayoutEffect, useRef } from "../ui.js";
import { href, route } from "../router.js";

let last = {}; // which page had the last title, and at which address

/**
 * Title is the heading of what is shown. It gets focus when it appears because somebody went on inside a page, or back, and what had it has
 * gone along with what was shown before; who comes from another page is met by the shell.
 */
export function Title({ children }) {
  const heading = useRef(null);
  useLayoutEffect(() => {
    const { page, rest, query } = route.value, at = href(page, rest, query);
    const inside = last.page === page && last.at !== at;
    last = { page, at };
    if (inside && document.activeElement.matches("body, main")) heading.current.focus();
  }, []);
  return html`<h1 ref=${heading} tabindex="-1">${children}</h1>`;
}
