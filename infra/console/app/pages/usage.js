import { html, useMemo, useRef } from "../ui.js";
import { get } from "../api.js";
import { go, href } from "../router.js";
import { Again } from "../parts/again.js";
import { announce } from "../parts/announce.js";
import { useAsk } from "../parts/ask.js";
import { Chart } from "../parts/chart.js";
import { Facts } from "../parts/facts.js";
import { faultBeside, faultOf, useDraft, useFault } from "../parts/field.js";
import { money, number, percent, When } from "../parts/format.js";
import { Gauge } from "../parts/gauge.js";
import { Input } from "../parts/input.js";
import { Problem } from "../parts/problem.js";
import { Table } from "../parts/table.js";
import { Title } from "../parts/title.js";

/** Usage says what calls of models have cost, by day, capability and model, and how much of the budgets is left. */
export default function Usage({ query }) {
  const { data, error, busy, again } = useAsk(async (signal) => {
    const [usage, cost] = await Promise.all([get("/usage", { signal, query: { from: query.from, to: query.to } }), get("/metrics/cost", { signal, query: { period: "7d" } })]);
    announce(`${money(usage.totals.nanoUSD)} from ${usage.from} to ${usage.to}.`);
    return { usage, cost };
  }, [query.from, query.to]);
  return html`
    <div class="head"><${Title}>Usage<//><${Again} busy=${busy} again=${again} /></div>
    <${Days} from=${query.from ?? data?.usage.from} to=${query.to ?? data?.usage.to} error=${error} />
    ${faultBeside(error, ["from", "to"]) && html`<${Problem} error=${error} />`}
    ${busy && !data && html`<p class="busy" role="status">Loading…</p>`}
    ${data && html`<${Shown} usage=${data.usage} cost=${data.cost} />`}`;
}

const dayAgo = (days) => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);

/** Days chooses which days are told. Days are those of UTC. */
function Days({ from, to, error }) {
  const [days, setDays] = useDraft({ from, to });
  const form = useRef(null);
  useFault(form, error, ["from", "to"]);
  const show = (event) => {
    event.preventDefault();
    go("usage", [], days);
  };
  return html`<section aria-label="Days"><form ref=${form} class="filters" onSubmit=${show}>
    <${Input} label="From" error=${faultOf(error, "from")} type="date" value=${days.from} change=${(from) => setDays({ ...days, from })} />
    <${Input} label="To" error=${faultOf(error, "to")} type="date" value=${days.to} change=${(to) => setDays({ ...days, to })} />
    <button>Show</button>
    <p class="shortcuts"><a href=${href("usage")}>This month</a> ${[7, 30, 90].map((n) => html`<a key=${n} href=${href("usage", [], { from: dayAgo(n - 1), to: dayAgo(0) })}>${n} days</a> `)}</p>
  </form></section>`;
}

function Shown({ usage, cost }) {
  const { lines, totals } = usage;
  return html`
    <section aria-labelledby="sum"><h2 id="sum">In all</h2><${Facts} figures of=${[
      ["Cost", money(totals.nanoUSD)], ["Calls of models", number(totals.calls)], ["Tokens in", number(totals.promptTokens)], ["Tokens out", number(totals.completionTokens)],
      ["Characters spoken", number(totals.characters ?? 0)], ["Neurons", number(totals.neurons)],
    ]} />
    <p class="small">By the prices of ${usage.pricesAt}.${totals.estimatedCalls > 0 && ` Of ${number(totals.estimatedCalls)} calls the provider did not say all that they took: it is estimated.`}</p></section>
    <section aria-label="By day"><${ByDay} usage=${usage} /></section>
    <section aria-labelledby="budgets"><h2 id="budgets">Budgets</h2><${Budgets} cost=${cost} /></section>
    ${lines.length > 0 && html`<section aria-label="By capability"><${Sums} title="By capability" name="Capability" lines=${lines} by=${(l) => l.capability} total=${totals.nanoUSD} /></section>
    <section aria-label="By model"><${Sums} title="By model" name="Model" lines=${lines} by=${(l) => l.model || "never settled"} total=${totals.nanoUSD} /></section>`}`;
}

function ByDay({ usage }) {
  const { times, series } = useMemo(() => {
    const days = [];
    for (let at = Date.parse(usage.from); at <= Date.parse(usage.to); at += 86_400_000) days.push(at);
    const capabilities = [...new Set(usage.lines.map((l) => l.capability))].sort();
    const spent = Map.groupBy(usage.lines, (l) => `${Date.parse(l.day)} ${l.capability}`);
    return {
      times: days.map((at) => at / 1000),
      series: capabilities.map((title) => ({ title, format: money, values: days.map((at) => sum(spent.get(`${at} ${title}`) ?? [], "nanoUSD")) })),
    };
  }, [usage]);
  if (series.length === 0) return html`<h2>Cost by day</h2><p class="busy">No model was called in these days.</p>`;
  return html`<${Chart} title="Cost by day" times=${times} series=${series} stacked />`;
}

const sum = (lines, member) => lines.reduce((all, l) => all + (l[member] ?? 0), 0);

/** Sums is a table of what belongs together, the dearest first. */
function Sums({ title, name, lines, by, total }) {
  const rows = [...Map.groupBy(lines, by)].map(([of, all]) => ({
    of, calls: sum(all, "calls"), prompt: sum(all, "promptTokens"), completion: sum(all, "completionTokens"), characters: sum(all, "characters"), neurons: sum(all, "neurons"), nanos: sum(all, "nanoUSD"),
  })).sort((a, b) => b.nanos - a.nanos);
  return html`<${Table} caption=${title} rows=${rows} rowKey=${(r) => r.of} empty="No model was called in these days." columns=${[
    { title: name, value: (r) => r.of },
    { title: "Cost", number: true, value: (r) => money(r.nanos) },
    { title: "Share", number: true, value: (r) => percent(total ? r.nanos / total : null) },
    { title: "Calls", number: true, value: (r) => number(r.calls) },
    { title: "Tokens in", number: true, value: (r) => number(r.prompt) },
    { title: "Tokens out", number: true, value: (r) => number(r.completion) },
    { title: "Characters", number: true, value: (r) => number(r.characters) },
    { title: "Neurons", number: true, value: (r) => number(r.neurons) },
  ]} />`;
}

const units = { tokens: ["Tokens", number], characters: ["Characters", number], nanoUSD: ["Money", money] };
const order = Object.keys(units);

function Budgets({ cost }) {
  const { budgets, month } = cost;
  const sorted = [...budgets].sort((a, b) => a.period.localeCompare(b.period) || order.indexOf(b.unit) - order.indexOf(a.unit));
  return html`
    <p>At the pace of the last week this month comes to <strong>${money(month.projected.nanoUSD)}</strong>; ${money(month.spent.nanoUSD)} are spent.</p>
    ${sorted.length === 0 ? html`<p class="busy">The tenant has no budgets: nothing is refused for what it costs.</p>` : html`<ul class="gauges">${sorted.map((b) => {
      const [title, format] = units[b.unit] ?? [b.unit, number];
      return html`<li key=${`${b.period} ${b.unit}`}><${Gauge} title=${`${title} a ${b.period}`} of=${b.spent} most=${b.limit} ahead=${b.projected} format=${format} />
        <p class="small">${b.reserved > 0 && html`${format(b.reserved)} held by what is under way. `}At this pace ${format(b.projected)} until <${When} at=${b.resetsAt} />.</p></li>`;
    })}</ul>`}`;
}
