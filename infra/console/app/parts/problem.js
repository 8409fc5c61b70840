import { html } from "../ui.js";

/** Problem shows a failure: what went wrong, the next step, and what to tell the operators. `focus` is a ref for who moves there. */
export function Problem({ error, focus }) {
  return html`<div class="problem" role="alert" tabindex="-1" ref=${focus}>
    <p><strong>${error.message}</strong> <code>${error.code}</code></p>
    ${error.hint && html`<p>${error.hint}</p>`}
    ${error.traceId && html`<p class="small">Trace <code>${error.traceId}</code></p>`}
  </div>`;
}
