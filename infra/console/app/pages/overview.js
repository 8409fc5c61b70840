import { html } from "../ui.js";
import { get } from "../api.js";
import { session } from "../session.js";
import { Again } from "../parts/again.js";
import { announce } from "../parts/announce.js";
import { useAsk } from "../parts/ask.js";
import { Facts } from "../parts/facts.js";
import { When } from "../parts/format.js";
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
    <div class="head"><${Title}>Overview<//><${Again} busy=${busy} again=${again} /></div>
    <section aria-labelledby="platform"><h2 id="platform">Platform</h2>
      ${health?.status === "rejected" && html`<${Problem} error=${health.reason} />`}
      ${health?.status === "fulfilled" && html`<${Facts} of=${[
        ["Status", html`<span class="state good">${health.value.status}</span>`], ["Version", health.value.version], ["Environment", health.value.environment],
        ["Its time", html`<${When} at=${health.value.timestamp} />`],
      ]} />`}
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
      <${Facts} of=${[
        ["Tenant", html`${session.value.tenantName} <code>${session.value.tenant}</code>`],
        ["Key", session.value.name ?? "none: the tenant is open"],
        ["May", session.value.scopes.map((scope) => html`<span key=${scope} class="tag">${scope}</span> `)],
      ]} />
    </section>`;
}
