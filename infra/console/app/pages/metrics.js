import { html, useEffect, useMemo } from "../ui.js";
import { get } from "../api.js";
import { go, href } from "../router.js";
import { Alerts, measure } from "../parts/alerts.js";
import { Again } from "../parts/again.js";
import { announce } from "../parts/announce.js";
import { useAsk } from "../parts/ask.js";
import { Chart } from "../parts/chart.js";
import { Facts } from "../parts/facts.js";
import { bad, duration, money, number, percent, plural, When } from "../parts/format.js";
import { Problem } from "../parts/problem.js";
import { Table } from "../parts/table.js";
import { Title } from "../parts/title.js";

const periods = { "1h": "The last hour", "24h": "The last day", "7d": "The last week" };

/** Metrics says how the platform does for the tenant: what there was, how fast, how its objectives are kept, and what is unusual. */
export default function Metrics({ query }) {
  const period = query.period in periods ? query.period : "24h";
  const ask = (path) => useAsk((signal) => get(`/metrics/${path}`, { signal, query: { period } }), [period]);
  const overview = ask("overview"), slis = ask("slis"), anomalies = ask("anomalies"), tools = ask("tools/execution"), cache = ask("search-cache");
  const all = [overview, slis, anomalies, tools, cache];
  const busy = all.some((view) => view.busy);
  useEffect(() => {
    if (overview.data) announce(`${periods[overview.data.period]}: ${plural(overview.data.requests.total, "request")}, ${plural(overview.data.failures.total, "failure")}.`);
  }, [overview.data]);
  return html`
    <div class="head"><${Title}>Metrics<//><div class="filters">
      <label><span class="hidden">Period</span><select value=${period} onChange=${(e) => go("metrics", [], { period: e.target.value })}>
        ${Object.entries(periods).map(([id, title]) => html`<option key=${id} value=${id}>${title}</option>`)}
      </select></label>
      <${Again} busy=${busy} again=${() => all.forEach((view) => view.again())} />
    </div></div>
    <${View} id="overview" title="In short" of=${overview} show=${(data) => html`<${Overview} of=${data} />`} />
    <section aria-labelledby="alerts"><h2 id="alerts">Alerts</h2><${Alerts} /></section>
    <${View} id="slis" title="Objectives" of=${slis} show=${(data) => html`<${SLIs} of=${data} />`} />
    <${View} id="anomalies" title="What is unusual" of=${anomalies} show=${(data) => html`<${Anomalies} of=${data} />`} />
    <${View} id="searches" title="Searches" of=${cache} show=${(data) => html`<${Searches} of=${data} />`} />
    <${View} id="tools" title="Tools" of=${tools} show=${(data) => html`<${Tools} of=${data} />`} />`;
}

/** View is one answer, by itself: that another one fails does not take it away. */
const View = ({ id, title, of, show }) => html`<section aria-labelledby=${id}><h2 id=${id}>${title}</h2>
  ${of.error && html`<${Problem} error=${of.error} />`}
  ${of.busy && !of.data && html`<p class="busy" role="status">Loading…</p>`}
  ${of.data && show(of.data)}
</section>`;

function Overview({ of }) {
  const { times, charts } = useMemo(() => {
    const line = (title, { line: values }, format) => ({ title, values, format });
    return {
      times: of.requests.line.map((_, i) => Date.parse(of.from) / 1000 + i * of.stepSeconds),
      charts: [
        ["Requests", [line("Requests", of.requests, number), line("Failed", of.failures, number)]],
        ["How long requests take", [line("p50", of.latencyMs.p50, duration), line("p95", of.latencyMs.p95, duration), line("p99", of.latencyMs.p99, duration)]],
        ["Events", [line("Handled", of.events, number), line("Dead letters", of.deadLetters, number)]],
        ["Cost of models", [line("Cost", of.nanoUSD, money)]],
      ],
    };
  }, [of]);
  const { p50, p95, p99 } = of.latencyMs;
  return html`
    <${Facts} figures of=${[
      ["Requests", number(of.requests.total)], ["Failed", bad(of.failures.total)], ["p50", duration(p50.value)], ["p95", duration(p95.value)], ["p99", duration(p99.value)],
      ["Events", number(of.events.total)], ["Dead letters", bad(of.deadLetters.total)], ["Calls of models", number(of.modelCalls.total)], ["Tokens", number(of.tokens.total)], ["Cost", money(of.nanoUSD.total)],
    ]} />
    <div class="charts">${charts.map(([title, series]) => html`<${Chart} key=${title} title=${title} times=${times} series=${series} height=${180} />`)}</div>`;
}

function SLIs({ of }) {
  const rows = [{ ...of.all, route: "All routes" }, ...of.routes];
  return html`<p>Of what is not refused, ${percent(of.all.objective.availability)} has to go well, and 95 of 100 requests have to be answered in time.</p>
    <${Table} caption="By route" rows=${rows} rowKey=${(r) => `${r.method} ${r.route}`} columns=${[
      { title: "Route", value: (r) => (r.method ? html`<code>${r.method} ${r.route}</code>` : r.route) },
      { title: "Kept", value: (r) => html`<span class=${`state ${r.met ? "good" : "bad"}`}>${r.met ? "yes" : "no"}</span>` },
      { title: "Requests", number: true, value: (r) => number(r.requests) },
      { title: "Refused", number: true, value: (r) => number(r.refused) },
      { title: "Failed", number: true, value: (r) => (r.failed ? html`<a href=${href("traces", [], { name: r.method && r.route, failed: "true" })}>${number(r.failed)}</a>` : "0") },
      { title: "Went well", number: true, value: (r) => percent(r.availability) },
      { title: "p50", number: true, value: (r) => duration(r.p50Ms) },
      { title: "p95", number: true, value: (r) => duration(r.p95Ms) },
      { title: "p95 allowed", number: true, value: (r) => duration(r.objective.p95Ms) },
      { title: "p99", number: true, value: (r) => duration(r.p99Ms) },
      { title: "First token p95", number: true, value: (r) => duration(r.firstTokenP95Ms) },
      { title: "Error budget used", number: true, value: (r) => percent(r.errorBudgetUsed) },
    ]} />`;
}

const silences = { too_few_steps: "too little time to compare with", too_few_observations: "too few to say" };

function Anomalies({ of }) {
  return html`<p>${of.unusual > 0 ? html`<span class="state bad">${of.unusual === 1 ? "One number stands out" : `${number(of.unusual)} numbers stand out`}</span>` : "Nothing stands out"} in the ${of.stepSeconds === 60 ? "minute" : "hour"} from <${When} at=${of.step} />, compared with ${number(of.steps)} before it. A score of ${of.boundary} or more, above or below, is unusual.</p>
    <${Table} caption="Each number by itself" rows=${of.checks} rowKey=${(c) => c.metric} columns=${[
      { title: "Number", value: (c) => measure(c.metric).title },
      { title: "Verdict", value: (c) => (c.unusual ? html`<span class="state bad">${c.direction} what is usual</span>` : c.silent ? silences[c.silent] ?? c.silent : html`<span class="state good">usual</span>`) },
      { title: "Now", number: true, value: (c) => measure(c.metric).format(c.value) },
      { title: "Usually", number: true, value: (c) => measure(c.metric).format(c.median) },
      { title: "Score", number: true, value: (c) => number(c.score) },
    ]} />`;
}

const Searches = ({ of }) => html`
  <${Facts} figures of=${[["Searches", number(of.searches.total)], ["Answered from memory", percent(of.hitRate.value)]]} />
  ${of.sources.length > 0 && html`<${Table} caption="By where the answer came from" rows=${of.sources} rowKey=${(s) => s.cache} columns=${[
    { title: "From", value: (s) => ({ hit: "memory", miss: "the indexes" })[s.cache] ?? s.cache },
    { title: "Searches", number: true, value: (s) => number(s.searches) },
    { title: "p50", number: true, value: (s) => duration(s.p50Ms) },
    { title: "p95", number: true, value: (s) => duration(s.p95Ms) },
  ]} />`}
  ${of.parts.length > 0 && html`<${Table} caption="What searches are made of" rows=${of.parts} rowKey=${(p) => p.part} columns=${[
    { title: "Part", value: (p) => p.part },
    { title: "Times", number: true, value: (p) => number(p.count) },
    { title: "p50", number: true, value: (p) => duration(p.p50Ms) },
    { title: "p95", number: true, value: (p) => duration(p.p95Ms) },
  ]} />`}`;

const Tools = ({ of }) => html`<${Table} caption="Those called most first" rows=${of.tools} rowKey=${(t) => t.tool} empty="No tool was called." columns=${[
  { title: "Tool", value: (t) => t.tool },
  { title: "Calls", number: true, value: (t) => number(t.calls) },
  { title: "Failed", number: true, value: (t) => number(t.failures) },
  { title: "Refused", number: true, value: (t) => number(t.refused) },
  { title: "p50", number: true, value: (t) => duration(t.p50Ms) },
  { title: "p95", number: true, value: (t) => duration(t.p95Ms) },
]} />`;
