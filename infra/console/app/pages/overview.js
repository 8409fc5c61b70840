import { html } from "../ui.js";
import { get } from "../api.js";
import { session } from "../session.js";
import { announce } from "../parts/announce.js";
import { useAsk } from "../parts/ask.js";
import { Problem } from "../parts/problem.js";
import { Table } from "../parts/table.js";
import { Title } from "../parts/title.js";

/** Overview says whether the platform is well, and who is asking. */
export default function Overview() {
  const { data, busy, again } = useAsk(async (signal) => {
    const [health, ready] = await Promise.allSettled([get("/health", { signal }), get("/ready", { signal })]);
    signal.throwIfAborted();
    announce(ready.status === "fulfilled" ? "The platform is ready." : "The platform is not ready.");
    return { health, ready };
  });
  const { health, ready } = data ?? {};
  return html`
    <div class="head"><${Title}>Overview<//><button type="button" onClick=${again} disabled=${busy}>${busy ? "Asking…" : "Ask again"}</button></div>
    <section aria-labelledby="platform"><h2 id="platform">Platform</h2>
      ${health?.status === "rejected" && html`<${Problem} error=${health.reason} />`}
      ${health?.status === "fulfilled" && html`<dl class="facts">
        <div><dt>Status</dt><dd><span class="state good">${health.value.status}</span></dd></div>
        <div><dt>Version</dt><dd>${health.value.version}</dd></div>
        <div><dt>Environment</dt><dd>${health.value.environment}</dd></div>
        <div><dt>Its time</dt><dd><time datetime=${health.value.timestamp}>${new Date(health.value.timestamp).toLocaleString()}</time></dd></div>
      </dl>`}
    </section>
    <section aria-labelledby="needs"><h2 id="needs">What it depends on</h2>
      ${ready?.status === "rejected" && html`<${Problem} error=${ready.reason} />`}
      ${ready?.status === "fulfilled" && html`<${Table} caption="Each was asked just now" rows=${ready.value.checks} rowKey=${(c) => c.name} columns=${[
        { title: "Name", value: (c) => c.name },
        { title: "Answers", value: () => html`<span class="state good">yes</span>` },
        { title: "After", number: true, value: (c) => `${c.durationMs.toFixed(1)} ms` },
      ]} />`}
    </section>
    <section aria-labelledby="you"><h2 id="you">You</h2>
      <dl class="facts">
        <div><dt>Tenant</dt><dd>${session.value.tenantName} <code>${session.value.tenant}</code></dd></div>
        <div><dt>Key</dt><dd>${session.value.name ?? "none: the tenant is open"}</dd></div>
        <div><dt>May</dt><dd>${session.value.scopes.map((scope) => html`<span key=${scope} class="tag">${scope}</span> `)}</dd></div>
      </dl>
    </section>`;
}
