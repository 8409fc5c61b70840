import { html } from "../ui.js";

/** Again is the button that asks once more for what a page shows. It stays while the answer comes, and so does focus on it. */
export const Again = ({ busy, again }) => html`<button type="button" aria-busy=${Boolean(busy)} onClick=${() => busy || again()}>${busy ? "Asking…" : "Ask again"}</button>`;
