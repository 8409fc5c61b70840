import { html, useLayoutEffect, useId, useRef } from "../ui.js";
import { title as titleOfPage } from "./going.js";

/**
 * Dialog is in front of the page while it is there: the page puts it there, and takes it away when `close` is called. The browser keeps
 * focus inside, and closes it by Escape. Focus goes back to where it was, or to the title of the page where that is no more.
 */
export function Dialog({ title, close, children }) {
  const id = useId();
  const dialog = useRef(null);
  useLayoutEffect(() => {
    const it = dialog.current, before = document.activeElement;
    it.showModal();
    return () => {
      it.close();
      (before?.isConnected ? before : titleOfPage())?.focus();
    };
  }, []);
  const cancel = (event) => {
    event.preventDefault();
    close();
  };
  return html`<dialog ref=${dialog} aria-labelledby=${id} onCancel=${cancel}>
    <div class="head"><h2 id=${id}>${title}</h2><button type="button" aria-label="Close" onClick=${close}>✕</button></div>
    ${children}
  </dialog>`;
}
