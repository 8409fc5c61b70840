import { html, useLayoutEffect, useRef, useState } from "../ui.js";

/**
 * More is the button that adds the next page to a list of usePages. It stays while the page comes, and so does focus on it; the last page
 * takes it away, and focus goes to what says so.
 */
export function More({ list }) {
  const [asked, setAsked] = useState(false);
  const end = useRef(null);
  const all = Boolean(asked && list.rows && !list.more && !list.busy);
  useLayoutEffect(() => { if (document.activeElement === document.body) end.current?.focus(); }, [all]);
  const press = () => {
    setAsked(true);
    if (!list.adding) list.more();
  };
  if (list.more) return html`<p><button type="button" aria-busy=${Boolean(list.adding)} onClick=${press}>${list.adding ? "Loading…" : "Show more"}</button></p>`;
  return all && html`<p class="small" ref=${end} tabindex="-1">That is all of it.</p>`;
}
