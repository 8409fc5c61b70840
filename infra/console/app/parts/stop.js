import { html, useLayoutEffect, useRef } from "../ui.js";

/** Stop is the button of what takes its time; it goes with that. Who had focus on it then gets it at `back`, a ref. */
export function Stop({ stop, back }) {
  const button = useRef(null);
  useLayoutEffect(() => {
    const it = button.current;
    return () => { if (document.activeElement === it) queueMicrotask(() => back.current?.focus()); }; // what was of no use meanwhile is of use again by then
  }, []);
  return html`<button ref=${button} type="button" class="danger" onClick=${stop}>Stop</button>`;
}
