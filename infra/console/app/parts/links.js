// Ways to what another page shows, for who may see it; others get its name alone.
import { html } from "../ui.js";
import { href } from "../router.js";
import { may } from "../session.js";

/** DocumentLink leads to a document: `query` says which passage of it, `children` are its name where that is not its id. */
export const DocumentLink = ({ id, query, children = id }) => (may("documents") ? html`<a href=${href("documents", [id], query)}>${children}</a>` : children);

/** TraceLink leads to a trace. */
export const TraceLink = ({ id }) => {
  const name = html`<code>${id}</code>`;
  return may("metrics") ? html`<a href=${href("traces", [id])}>${name}</a>` : name;
};
