import { html, useLayoutEffect, useId, useRef } from "../ui.js";

/**
 * Dialog is in front of the page while it is there: the page puts it there, and takes it away when `close` is called. The browser keeps
 * focus inside, closes it by Escape, and gives focus back to where it was.
 */
export function Dialog({ title, close, children }) {
  const id = useId();
  const dialog = useRef(null);
  useLayoutEffect(() => {
    const it = dialog.current, before = document.activeElement;
    it.showModal();
    return () => {
      it.close();
      before?.focus?.();
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
