import { html, useLayoutEffect, useRef } from "../ui.js";

/** Going is a button that goes once what it does is done. Who has focus on it then gets it at `back`, a ref, or without one at the title of the page. */
export function Going({ back, children, ...more }) {
  const button = useRef(null);
  useLayoutEffect(() => {
    const it = button.current;
    return () => { if (document.activeElement === it) queueMicrotask(() => (back ? back.current : title())?.focus()); }; // what was of no use meanwhile is of use again by then
  }, []);
  return html`<button type="button" ref=${button} ...${more}>${children}</button>`;
}

/** title is the heading of the page, which takes focus where there is nothing else to have it. */
export const title = () => document.querySelector("h1");
