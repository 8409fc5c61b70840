import { html } from "../ui.js";

/** Empty stands where there is nothing: what it is that is not there, and, below, what to do about it. */
export const Empty = ({ title, children }) => html`<div class="empty"><p>${title}</p>${children && html`<p>${children}</p>`}</div>`;
