import { html, useMemo } from "../../ui.js";
import { When, number, plural, pretty } from "../../parts/format.js";
import { Grounded, Remarks, Sources, shared } from "../../parts/grounds.js";
import { Problem } from "../../parts/problem.js";

/** Turn is a message and its answer. `resume` goes on with one that was left before its end. */
export function Turn({ turn, state, resume }) {
  const { said, steps, sources, citations, running } = turn;
  const texts = steps.map((step) => step.text ?? "");
  const own = useMemo(() => (citations?.length ? shared(texts, citations) : []), [citations, texts.join("\0")]);
  return html`<article class="turn" aria-busy=${Boolean(running)}>
    ${said && html`<div class="said"><p class="by">You${turn.at && html` · <${When} at=${turn.at} />`}</p><p class="plain">${said}</p></div>`}
    <div class="answer"><p class="by">Levada${turn.model && html` · <code>${turn.model}</code>`}</p>
      <${Remarks} rewritten=${turn.rewritten} degraded=${turn.degraded} safety=${turn.safety} />
      ${steps.map((step, i) => "text" in step
        ? html`<${Grounded} key=${i} text=${step.text} sources=${sources} citations=${own[i]} />`
        : html`<${Call} key=${i} ...${step} running=${running} />`)}
      ${running && html`<p class="busy waiting">${state === "resuming" ? "The connection was cut. Going on where it was…" : steps.length ? "Answering…" : sources ? `Found ${plural(sources.length, "source")}. Waiting for the model…` : "Waiting…"}</p>`}
      ${turn.error && html`<${Problem} error=${turn.error} />`}
      ${turn.left && html`<p class="note">${turn.error ? "What has come stays here." : "You stopped here. The platform may have gone on, and keeps the answer for a quarter of an hour."} <button type="button" onClick=${resume}>Show the rest</button></p>`}
      ${turn.finish === "length" && html`<p class="note warn">The answer ends here because it was as long as it may be.</p>`}
      ${turn.finish === "content_filter" && html`<p class="note warn">The model's provider cut this answer short.</p>`}
      ${sources?.length > 0 && html`<details><summary>Sources (${sources.length})</summary><${Sources} sources=${sources} citations=${citations ?? []} /></details>`}
      ${turn.usage && html`<p class="small usage">${number(turn.usage.promptTokens)} tokens read, ${number(turn.usage.completionTokens)} written${turn.usage.estimated && ", estimated"}</p>`}
    </div>
  </article>`;
}

/** Call is a call of a tool, and what came of it. */
function Call({ call, result, running }) {
  const state = result ? (result.ok ? html`<span class="state good">done</span>` : html`<span class="state bad">failed</span>`)
    : html`<span class="state">${running ? "running…" : call.platform ? "no result" : "waits for the client that made it"}</span>`;
  return html`<details class="call" open=${result?.ok === false}><summary>Tool <code>${call.name}</code> ${state}${result?.durationMs !== undefined && html` <span class="small">${result.durationMs} ms</span>`}</summary>
    ${call.arguments !== undefined && html`<p class="small">Arguments</p><pre tabindex="0" aria-label=${`Arguments of ${call.name}`}>${pretty(call.arguments)}</pre>`}
    ${result && html`<p class="small">Result</p><pre tabindex="0" aria-label=${`Result of ${call.name}`}>${pretty(result.content)}</pre>`}
  </details>`;
}
