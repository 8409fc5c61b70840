import { html, useEffect, useState } from "../ui.js";
import { get } from "../api.js";
import { go, href } from "../router.js";
import { Again } from "../parts/again.js";
import { announce } from "../parts/announce.js";
import { useAsk, usePages } from "../parts/ask.js";
import { Empty } from "../parts/empty.js";
import { Facts } from "../parts/facts.js";
import { useDraft } from "../parts/field.js";
import { duration, money, number, plural, When } from "../parts/format.js";
import { Input } from "../parts/input.js";
import { More } from "../parts/more.js";
import { Problem } from "../parts/problem.js";
import { Table } from "../parts/table.js";
import { Title } from "../parts/title.js";
import { Waterfall } from "../parts/waterfall.js";

/** Traces lists what was done for the tenant, and shows one of it: which parts it had, where they ran and how long each took. */
export default function Traces({ rest, query }) {
  return rest[0] ? html`<${Trace} key=${rest[0]} id=${rest[0]} query=${query} />` : html`<${List} query=${query} />`;
}

const manner = { ok: "good", refused: "warn", failed: "bad", left: "warn" };

const Outcome = ({ of }) => html`<span class=${`state ${manner[of.outcome] ?? ""}`}>${of.outcome}</span>${of.code && html` <code>${of.code}</code>`}`;

function List({ query }) {
  const [form, setForm] = useDraft({ name: query.name ?? "", failed: query.failed === "true" });
  const [id, setId] = useState("");
  const list = usePages(async (signal, cursor) => {
    const { traces, next } = await get("/traces", { signal, query: { name: query.name, failed: query.failed, cursor, limit: 25 } });
    announce(`${cursor ? "There are now" : "There are"} ${plural(traces.length, "trace")}${cursor ? " more" : ""}.`);
    return { rows: traces, next };
  }, [query.name, query.failed]);
  const filter = (event) => {
    event.preventDefault();
    const next = { name: form.name.trim(), failed: form.failed ? "true" : "" };
    if (next.name === (query.name ?? "") && next.failed === (query.failed ?? "")) list.again();
    else go("traces", [], next);
  };
  const open = (event) => {
    event.preventDefault();
    if (id.trim()) go("traces", [id.trim()]);
  };
  return html`
    <div class="head"><${Title}>Traces<//><${Again} ...${list} /></div>
    <p>What was done for the tenant, part by part. A trace is kept for a day: each in which something failed, and of the others those that were sampled.</p>
    <section aria-label="Find traces"><div class="filters">
      <form class="filters" onSubmit=${filter} role="search">
        <${Input} label="What it began with" hint="Such as /search" maxlength="256" spellcheck=${false} value=${form.name} change=${(name) => setForm({ ...form, name })} />
        <label class="check"><input type="checkbox" checked=${form.failed} onChange=${(e) => setForm({ ...form, failed: e.target.checked })} /> Only with failures</label>
        <button>Filter</button>
      </form>
      <form class="filters" onSubmit=${open}>
        <${Input} label="Trace id" hint="From a failure, or of a trace that was sampled" spellcheck=${false} value=${id} change=${setId} />
        <button>Open</button>
      </form>
    </div></section>
    ${list.error && html`<${Problem} error=${list.error} />`}
    ${list.busy && !list.rows && html`<p class="busy" role="status">Loading…</p>`}
    ${list.rows && html`<section aria-label="Traces">
      <${Table} caption="The newest first" rows=${list.rows} rowKey=${(t) => t.traceId} empty=${query.name || query.failed ? "No trace is like this." : "There are no traces yet. Each request makes one, some seconds after it has ended."} columns=${[
        { title: "Began with", value: (t) => html`<a href=${href("traces", [t.traceId])}>${t.name}</a> <span class="tag">${t.kind}</span>` },
        { title: "Outcome", value: (t) => html`<${Outcome} of=${t} />` },
        { title: "Took", number: true, value: (t) => duration(t.durationMs) },
        { title: "Spans", number: true, value: (t) => number(t.spans) },
        { title: "Failed", number: true, value: (t) => number(t.failed) },
        { title: "When", value: (t) => html`<${When} at=${t.startedAt} />` },
      ]} />
      <${More} list=${list} />
    </section>`}`;
}

function Trace({ id, query }) {
  const { data, error, busy, again } = useAsk((signal) => get(`/traces/${encodeURIComponent(id)}`, { signal }), [id]);
  useEffect(() => {
    if (data) announce(`The trace has ${plural(data.spans.length, "span")} and took ${duration(data.durationMs)}.`);
  }, [data]);
  return html`
    <p><a href=${href("traces")}>All traces</a></p>
    <div class="head"><${Title}>Trace <code>${id}</code><//><${Again} busy=${busy} again=${again} /></div>
    ${error && (error.code === "trace_not_found"
      ? html`<${Empty} title="This trace is not kept, or not yet.">Spans arrive some seconds after they have ended, and are kept for a day: those of a failure always, of a refusal or a success only where the trace was sampled.<//>`
      : html`<${Problem} error=${error} />`)}
    ${busy && !data && !error && html`<p class="busy" role="status">Loading…</p>`}
    ${data && html`<${Shown} id=${id} trace=${data} chosen=${query.span} />`}`;
}

function Shown({ id, trace, chosen }) {
  const { spans } = trace;
  const span = spans.find((s) => s.spanId === chosen) ?? spans.find((s) => s.outcome === "failed") ?? spans[0];
  const failed = spans.filter((s) => s.outcome === "failed").length;
  return html`
    <section aria-label="In short"><${Facts} of=${[
      ["Began", html`<${When} at=${trace.startedAt} />`],
      ["Until all had ended", duration(trace.durationMs)],
      ["Spans", html`${number(spans.length)}${failed > 0 && html`, <span class="state bad">${failed} failed</span>`}`],
      ["Workers", [...new Set(spans.map((s) => s.worker))].join(", ")],
      ["Models cost", money(cost(spans))],
    ]} /></section>
    <div class="beside">
      <section aria-labelledby="spans"><h2 id="spans">What took the time</h2>
        <${Waterfall} spans=${spans} total=${trace.durationMs} selected=${span.spanId} select=${(spanId) => go("traces", [id], { span: spanId }, { replace: true })} />
      </section>
      <section aria-labelledby="span" class="aside"><h2 id="span">${span.name}</h2><${Facts} of=${factsOf(span)} /></section>
    </div>`;
}

/** cost is what models took in all: a span tells what it and those below it took. */
function cost(spans) {
  const byId = new Map(spans.map((s) => [s.spanId, s]));
  const told = (s, met = new Set()) => {
    const above = byId.get(s.parentSpanId);
    if (!above || met.has(above)) return false;
    return above.nanoUSD > 0 || told(above, met.add(above));
  };
  return spans.filter((s) => s.nanoUSD > 0 && !told(s)).reduce((sum, s) => sum + s.nanoUSD, 0);
}

/** factsOf is what is known of a span. */
function factsOf(span) {
  return [
    ["Kind", html`<span class="tag">${span.kind}</span>`],
    ["Outcome", html`<${Outcome} of=${span} />`],
    ["Worker", span.worker],
    ["Began after", duration(span.offsetMs)],
    ["Took", duration(span.durationMs)],
    ["First byte after", span.firstByteMs && duration(span.firstByteMs)],
    ["Waited before", span.waitMs && duration(span.waitMs)],
    ["Request", span.method && `${span.method} ${span.name}`],
    ["Status", span.status],
    ["Flow", span.flow],
    ["Event", span.type && html`<code>${span.type}</code>`],
    ["About", span.subject && html`<code>${span.subject}</code>`],
    ["Events", span.events && number(span.events)],
    ["Of these failed", span.failed && number(span.failed)],
    ["Attempt", span.attempt && number(span.attempt)],
    ["Answer came from", span.cache],
    ["Safety", span.safety && [span.safety, span.safetyRule].filter(Boolean).join(", ")],
    ["Purpose", span.purpose],
    ["Tokens in", span.promptTokens && number(span.promptTokens)],
    ["Tokens out", span.completionTokens && number(span.completionTokens)],
    ["Characters spoken", span.characters && number(span.characters)],
    ["Cost", span.nanoUSD && html`${money(span.nanoUSD)}${span.estimated && " (estimated)"}`],
    ["Request id", span.requestId && html`<code>${span.requestId}</code>`],
    ["Gateway's entry", span.logId && html`<code>${span.logId}</code>`],
    ["Span id", html`<code>${span.spanId}</code>`],
  ];
}
