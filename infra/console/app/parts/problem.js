import { html } from "../ui.js";
import { TraceLink } from "./links.js";

/** Problem shows a failure: what went wrong, the next step, and what to tell the operators. `focus` is a ref for who moves there, and `again` tries what failed once more. */
export function Problem({ error, focus, again }) {
  return html`<div class="problem" role="alert" tabindex="-1" ref=${focus}>
    <p><strong>${error.message}</strong> ${error.code && html`<code>${error.code}</code>`}</p>
    ${error.hint && html`<p>${error.hint}</p>`}
    ${error.traceId && html`<p class="small">Trace <${TraceLink} id=${error.traceId} /></p>`}
    ${error.requestId && html`<p class="small">Request <code>${error.requestId}</code></p>`}
    ${again && html`<p><button type="button" onClick=${again}>Try again</button></p>`}
  </div>`;
}
