import { html, useEffect, useRef, useState } from "../ui.js";
import { go } from "../router.js";
import { announce } from "../parts/announce.js";
import { Choice } from "../parts/choice.js";
import { Empty } from "../parts/empty.js";
import { Field, faultOf, toFault } from "../parts/field.js";
import { duration, number, percent, plural } from "../parts/format.js";
import { Grounded, Remarks, Sources } from "../parts/grounds.js";
import { Input } from "../parts/input.js";
import { JsonField } from "../parts/json-field.js";
import { Problem } from "../parts/problem.js";
import { Stop } from "../parts/stop.js";
import { Table } from "../parts/table.js";
import { Title } from "../parts/title.js";
import { requestOf, search, unset } from "./search/ask.js";

const modes = [["hybrid", "Meaning and words"], ["vector", "Meaning"], ["keyword", "Words"]];
const answers = [["stream", "As it is written"], ["whole", "All at once"], ["none", "None, only sources"]];

/** Search asks the tenant's documents. */
export default function Search({ query: address }) {
  const [form, setForm] = useState({ ...unset, query: address.q ?? "", mode: modes.some(([id]) => id === address.mode) ? address.mode : unset.mode });
  const [wrong, setWrong] = useState(); // of the filter, before it is sent
  const [more, setMore] = useState(false);
  const [result, setResult] = useState(null);
  const place = useRef(null), asked = useRef(null), input = useRef(null);
  useEffect(() => () => asked.current?.abort(), []);
  const ask = async (next) => {
    const { request, error } = requestOf(next);
    setWrong(error);
    if (error) {
      setMore(true);
      return toFault(place);
    }
    asked.current?.abort();
    asked.current = new AbortController();
    go("search", [], { q: next.query, mode: next.mode === unset.mode ? "" : next.mode }, { replace: true });
    const { signal } = asked.current;
    const got = await search(request, { fresh: next.fresh, signal, show: (result) => asked.current?.signal === signal && setResult(result) });
    if (signal.aborted) return;
    if (["filter", "topK", "expand", "rerank"].some((name) => faultOf(got.error, name))) setMore(true);
    if (got.error?.field) toFault(place);
    announce(spoken(got));
  };
  const submit = (event) => {
    event.preventDefault();
    if (form.query.trim()) ask(form);
  };
  const stop = () => {
    asked.current.abort();
    setResult((before) => ({ ...before, busy: false, stopped: true }));
    announce("Stopped.");
  };
  const follow = (question) => {
    const next = { ...form, query: question };
    setForm(next);
    ask(next);
  };
  return html`
    <${Title}>Search<//>
    <section aria-label="Question"><form ref=${place} onSubmit=${submit}>
      <${Field} label="Question" error=${faultOf(result?.error, "query")}>${(props) => html`<input ...${props} ref=${input} type="search" autocomplete="off" value=${form.query} onInput=${(e) => setForm({ ...form, query: e.target.value })} />`}<//>
      <div class="filters">
        <${Choice} label="Find by" options=${modes} value=${form.mode} change=${(mode) => setForm({ ...form, mode })} />
        <${Choice} label="Answer" options=${answers} value=${form.answer} change=${(answer) => setForm({ ...form, answer })} />
        <button type="button" aria-expanded=${more} aria-controls="more" onClick=${() => setMore(!more)}>More</button>
        <button class="primary" disabled=${!form.query.trim()}>Search</button>
        ${result?.busy && html`<${Stop} stop=${stop} back=${input} />`}
      </div>
      <div id="more" hidden=${!more}>${more && html`<${More} form=${form} change=${setForm} error=${result?.error} wrong=${wrong} />`}</div>
    </form></section>
    ${result ? html`<${Result} result=${result} ask=${follow} />` : html`<${Empty} title="Ask the tenant's documents.">The answer says which words of which document it rests on.<//>`}`;
}

function More({ form, change, error, wrong }) {
  const check = (name, label) => html`<label class="check"><input type="checkbox" checked=${form[name]} onChange=${(e) => change({ ...form, [name]: e.target.checked })} /> ${label}</label>`;
  return html`<div class="settings">
    <${Input} label="Sources, at most" error=${faultOf(error, "topK")} type="number" min="1" max="50" placeholder="the tenant's own" value=${form.topK} change=${(topK) => change({ ...form, topK })} />
    <${Choice} label="Neighbours of a source" options=${[["0", "none"], ["1", "one on each side"], ["2", "two on each side"], ["3", "three on each side"]]} value=${form.expand} change=${(expand) => change({ ...form, expand })} />
    <div class="wide"><${JsonField} label="Filter" value=${form.filter} onInput=${(filter) => change({ ...form, filter })} error=${wrong ?? faultOf(error, "filter")}
      hint=${html`A JSON object. All of it must hold: <code>{"source": "handbook", "year": {"$gte": 2020}}</code>`} /></div>
    <div class="wide checks">${check("rerank", "Let a model order the best")}${check("keepDuplicates", "Show what says the same, too")}${check("fresh", "Search anew, not from the cache")}</div>
  </div>`;
}

function Result({ result, ask }) {
  const { busy, error, sources, citations, text, abstained } = result;
  return html`<div aria-busy=${busy}>
    ${error && html`<${Problem} error=${error} />`}
    ${result.stopped && html`<p class="note">Stopped. What had come by then is here.</p>`}
    ${busy && !sources && html`<p class="busy waiting">Searching…</p>`}
    <${Remarks} rewritten=${result.rewritten} degraded=${result.degraded} safety=${result.safety} />
    ${(text || (busy && sources && result.text !== undefined)) && html`<section aria-labelledby="answer" class=${abstained ? "abstained" : ""}>
      <div class="head"><h2 id="answer">${abstained ? "Not known" : "Answer"}</h2><p class="marks">
        ${busy && html`<span class="busy waiting">Answering…</span>`}
        ${result.confidence !== undefined && !abstained && html`<span class="tag">${percent(Math.round(result.confidence * 100) / 100)} sure</span>`}</p></div>
      ${abstained && html`<p class="note warn">What was found does not answer this, so there is no answer: a guess would be worth less. Ask in other words, widen the filter, or look at the sources.</p>`}
      <${Grounded} text=${text} sources=${sources} citations=${citations} />
      ${result.followUps?.length > 0 && html`<h3 id="next">The documents have something on this, too</h3><ul class="next" aria-labelledby="next">${result.followUps.map((question) => html`<li key=${question}><button type="button" onClick=${() => ask(question)}>${question}</button></li>`)}</ul>`}
      ${result.usage?.promptTokens > 0 && html`<p class="small usage">${number(result.usage.promptTokens)} tokens read, ${number(result.usage.completionTokens)} written${result.model && html` · <code>${result.model}</code>`}${result.prompt && html` · <code>${result.prompt}</code>`}</p>`}
    </section>`}
    ${sources && html`<section aria-labelledby="sources"><div class="head"><h2 id="sources">${sources.length ? plural(sources.length, "source") : "Sources"}</h2>
        <p class="marks">${result.cached && html`<span class="tag">from the cache</span> `}${result.intent && html`<span class="tag">${result.intent}</span>`}</p></div>
      ${sources.length ? html`<${Sources} sources=${sources} citations=${citations} />` : html`<${Empty} title="Nothing was found.">Ask in other words, or widen the filter.<//>`}
    </section>`}
    ${!busy && result.stages?.length > 0 && html`<details><summary>Took ${duration(result.tookMs)}</summary>
      <${Table} caption="What the platform did until it began to answer" rows=${result.stages.filter((s) => s.ms !== undefined)} rowKey=${(s) => s.name} columns=${[
        { title: "Stage", value: (s) => html`${s.name}${s.said && html` <span class="tag">${s.said}</span>`}` }, { title: "Took", number: true, value: (s) => duration(s.ms) }]} /></details>`}
  </div>`;
}

/** spoken is what came of a search as it is announced. */
function spoken({ error, text, abstained, sources = [] }) {
  if (error) return `The search failed: ${error.message}`;
  const found = plural(sources.length, "source");
  if (abstained) return `Not known. ${found}.`;
  return text ? `Answer, from ${found}: ${text.replace(/\[\d+\]/g, "").slice(0, 400)}` : `Found ${found}.`;
}
