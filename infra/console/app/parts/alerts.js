// The tenant's alert rules: its webhook is told when one begins to hold, and when it ends. Without one nobody is, and the page says so.
import { html, useRef, useState } from "../ui.js";
import { del, get, post } from "../api.js";
import { announce } from "./announce.js";
import { useAsk } from "./ask.js";
import { Choice } from "./choice.js";
import { Confirm } from "./confirm.js";
import { Dialog } from "./dialog.js";
import { faultBeside, faultOf, toFault } from "./field.js";
import { duration, money, number, percent, When } from "./format.js";
import { Going } from "./going.js";
import { Input } from "./input.js";
import { Problem } from "./problem.js";
import { Table } from "./table.js";
import { toast } from "./toast.js";

/** measures are the numbers that rules and anomalies are about, by the API's names. */
const measures = {
  requests: { title: "Requests", unit: "requests", format: number },
  failures: { title: "Requests that failed", unit: "requests", format: number },
  failure_rate: { title: "Failure rate", unit: "a part of one: a twentieth is 0.05", format: percent },
  latency_p50: { title: "Half of the requests take", unit: "milliseconds", format: duration },
  latency_p95: { title: "95 of 100 requests take", unit: "milliseconds", format: duration },
  latency_p99: { title: "99 of 100 requests take", unit: "milliseconds", format: duration },
  first_token_p95: { title: "First token, 95 of 100", unit: "milliseconds", format: duration },
  events_failed: { title: "Events that failed", unit: "events", format: number },
  event_wait_p95: { title: "Events wait, 95 of 100", unit: "milliseconds", format: duration },
  dead_letters: { title: "Dead letters", unit: "events", format: number },
  tokens: { title: "Tokens", unit: "tokens", format: number },
  cost_usd: { title: "Cost", unit: "US dollars", format: (n) => money(n && n * 1e9) },
};

/** measure is one of them; the platform may know some that this page does not. */
export const measure = (name) => measures[name] ?? { title: name, unit: "", format: number };

const comparators = { ">": "more than", ">=": "at least", "<": "less than", "<=": "at most" };
const spans = { "5m": "5 minutes", "15m": "15 minutes", "1h": "an hour", "24h": "a day" };

/** Told says who hears of the rules. */
const Told = ({ to }) => (to === "nobody"
  ? html`<p class="note warn">Nobody is told: the tenant's configuration names no webhook. What the rules find is seen on this page alone.</p>`
  : html`<p>The tenant's webhook is told when a rule begins to hold, and when it ends.</p>`);

/** Alerts lists the rules and how they stand, and takes in new ones. */
export function Alerts() {
  const { data, error, busy, again } = useAsk((signal) => get("/metrics/alerts", { signal }));
  const [making, setMaking] = useState(false);
  const [dropping, setDropping] = useState(null);
  const add = useRef(null);
  const made = (rule) => {
    setMaking(false);
    toast(`“${rule.name}” is watched from now on.${rule.toldTo === "nobody" ? " Nobody is told of it: there is no webhook." : ""}`);
    again();
  };
  return html`
    <p>Each rule is looked at once a minute.</p>
    ${data && html`<${Told} to=${data.toldTo} />`}
    ${error && html`<${Problem} error=${error} />`}
    ${busy && !data && html`<p class="busy" role="status">Loading…</p>`}
    ${data && html`<${Table} caption="Rules" rows=${data.alerts} rowKey=${(a) => a.id} empty="There are no rules yet." columns=${[
      { title: "Name", value: (a) => a.name },
      { title: "State", value: (a) => html`<span class=${`state ${a.state === "firing" ? "bad" : "good"}`}>${a.state}</span>` },
      { title: "Rule", value: (a) => `${measure(a.metric).title}: ${comparators[a.comparator] ?? a.comparator} ${measure(a.metric).format(a.threshold)} in ${spans[a.period] ?? a.period}` },
      { title: "Now", number: true, value: (a) => measure(a.metric).format(a.value) },
      { title: "Since", value: (a) => html`<${When} at=${a.since} />` },
      { title: "Actions", value: (a) => html`<${Going} class="danger" aria-label=${`Delete ${a.name}`} back=${add} onClick=${() => setDropping(a)}>Delete<//>` },
    ]} />`}
    <p><button ref=${add} type="button" onClick=${() => setMaking(true)}>New rule</button></p>
    ${making && html`<${Make} close=${() => setMaking(false)} made=${made} />`}
    ${dropping && html`<${Drop} rule=${dropping} toldTo=${data?.toldTo} close=${() => setDropping(null)} gone=${again} />`}`;
}

function Make({ close, made }) {
  const [rule, setRule] = useState({ name: "", metric: "failure_rate", comparator: ">", threshold: "", period: "15m" });
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(false);
  const form = useRef(null);
  const change = (member) => (value) => setRule((before) => ({ ...before, [member]: value }));
  const submit = async (event) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      made(await post("/metrics/alerts", { ...rule, threshold: rule.threshold.trim() === "" ? undefined : Number(rule.threshold) }));
    } catch (failure) {
      setError(failure);
      setBusy(false);
      announce(failure.message);
      toFault(form);
    }
  };
  const own = (member) => ({ value: rule[member], error: faultOf(error, member), change: change(member) });
  return html`<${Dialog} title="New rule" close=${close}><form ref=${form} onSubmit=${submit} aria-busy=${busy} novalidate>
    ${faultBeside(error, Object.keys(rule)) && html`<${Problem} error=${error} />`}
    <${Input} label="Name" hint="What people are told." ...${own("name")} />
    <${Choice} label="Number" ...${own("metric")} options=${Object.entries(measures).map(([name, { title }]) => [name, title])} />
    <div class="filters">
      <${Choice} label="Is" ...${own("comparator")} options=${Object.entries(comparators)} />
      <${Input} label="Threshold" hint=${measure(rule.metric).unit} type="number" step="any" ...${own("threshold")} />
      <${Choice} label="In" ...${own("period")} options=${Object.entries(spans)} />
    </div>
    <p class="buttons"><button class="primary" disabled=${busy}>${busy ? "Saving…" : "Watch it"}</button> <button type="button" onClick=${close}>Cancel</button></p>
  </form><//>`;
}

/** Drop deletes a rule, once somebody has said so. */
function Drop({ rule, toldTo, close, gone }) {
  const drop = async () => {
    try {
      await del(`/metrics/alerts/${encodeURIComponent(rule.id)}`);
    } catch (failure) {
      if (failure.code !== "alert_not_found") throw failure; // somebody else was faster
    }
    toast(`“${rule.name}” is not watched any more.`);
    gone();
  };
  return html`<${Confirm} title="Delete the rule?" yes="Delete" doing="Deleting…" no="Keep it" act=${drop} close=${close}>
    <p>“${rule.name}” will not be watched any more.${rule.state === "firing" && (toldTo === "nobody" ? " It holds just now." : " It holds just now; the webhook will be told that it has ended.")}</p>
  <//>`;
}
