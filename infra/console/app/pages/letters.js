import { html, useRef, useState } from "../ui.js";
import { get, send } from "../api.js";
import { go, href } from "../router.js";
import { may } from "../session.js";
import { Again } from "../parts/again.js";
import { announce } from "../parts/announce.js";
import { useAsk, usePages } from "../parts/ask.js";
import { Choice } from "../parts/choice.js";
import { Facts } from "../parts/facts.js";
import { faultBeside, faultOf, useDraft, useFault } from "../parts/field.js";
import { bad, duration, number, percent, plural, pretty, When } from "../parts/format.js";
import { Going } from "../parts/going.js";
import { handlersOf } from "../parts/handlers.js";
import { Input } from "../parts/input.js";
import { DocumentLink, TraceLink } from "../parts/links.js";
import { More } from "../parts/more.js";
import { Problem } from "../parts/problem.js";
import { Replay } from "../parts/replay.js";
import { Table } from "../parts/table.js";
import { Title } from "../parts/title.js";

/** Letters says how the queues do, and lists what nobody could handle: why, and how to send it again. */
export default function Letters({ rest, query }) {
  return rest[0] ? html`<${Letter} key=${rest[0]} id=${rest[0]} />` : html`<${Queues} query=${query} />`;
}

const stages = ["fetch", "chunk", "embed", "index", "retire", "erase"];
const filters = ["stage", "reason", "docId", "from", "to", "replayed"];

function Queues({ query }) {
  const [replaying, setReplaying] = useState(false);
  const [count, setCount] = useState(null);
  const [turn, setTurn] = useState(0);
  const asked = Object.fromEntries(filters.map((name) => [name, query[name]]));
  const list = usePages(async (signal, cursor) => {
    const page = await get("/events", { signal, query: { ...asked, cursor, limit: 25, count: cursor ? "" : "true" } });
    if (page.count) {
      setCount(page.count);
      announce(`${plural(page.count.total, "dead letter")}.`);
    }
    return { rows: page.letters, next: page.next };
  }, Object.values(asked));
  const filtered = filters.some((name) => query[name]);
  return html`
    <div class="head"><${Title}>Queues<//><${Again} busy=${list.busy} again=${() => { list.again(); setTurn(turn + 1); }} /></div>
    ${may("metrics") && html`<${Handlers} turn=${turn} />`}
    <section aria-labelledby="dead"><div class="head"><h2 id="dead">Dead letters</h2>
      ${may("admin") && count?.total > 0 && query.replayed !== "true" && html`<${Going} onClick=${() => setReplaying(true)}>Send ${filtered ? "these" : "all"} again…<//>`}</div>
      <p>Messages that nobody could handle, with why. They are kept for 30 days.</p>
      <${Filter} query=${query} error=${list.error} />
      ${faultBeside(list.error, filters) && html`<${Problem} error=${list.error} />`}
      ${list.busy && !list.rows && html`<p class="busy" role="status">Loading…</p>`}
      ${list.rows && html`
        ${count && count.total > 0 && html`<${Count} of=${count} query=${query} />`}
        <${Table} caption="The newest first" rows=${list.rows} rowKey=${(l) => l.id} empty=${filtered ? "No dead letter is like this." : "There are none: everything was handled."} columns=${[
          { title: "Reason", value: (l) => html`<a href=${href("letters", [l.id])}>${l.code}</a>` },
          { title: "What is said", value: (l) => l.message },
          { title: "Handler", value: (l) => l.handler || l.queue },
          { title: "Document", value: (l) => (l.docId ? html`<${DocumentLink} id=${l.docId} />` : "–") },
          { title: "Tried", number: true, value: (l) => number(l.attempts) },
          { title: "When", value: (l) => html`<${When} at=${l.at} />` },
          { title: "Sent again", value: (l) => (l.replayedAt ? html`<${When} at=${l.replayedAt} />` : "no") },
        ]} />
        <${More} list=${list} />`}
    </section>
    ${replaying && html`<${Replay} close=${() => { setReplaying(false); list.again(); }} what=${meant(query)} />`}`;
}

/** meant are the letters of the list, as a replay names them. */
const meant = ({ stage, reason, docId, from, to }) => ({
  ...(stage && { stages: [stage] }), ...(reason && { codes: [reason] }), ...(docId && { docId }), ...(from && { from }), ...(to && { to }),
});

/** Handlers is how long events wait and how many fail, by who handles them, and how many were given up, by queue. */
function Handlers({ turn }) {
  const { data, error, busy } = useAsk(async (signal) => handlersOf(await (await send("GET", "/metrics", { signal, headers: { accept: "text/plain" } })).text()), [turn]);
  return html`<section aria-labelledby="handlers"><h2 id="handlers">Handlers</h2>
    ${error && html`<${Problem} error=${error} />`}
    ${busy && !data && html`<p class="busy" role="status">Loading…</p>`}
    ${data && html`<${Table} caption="Since the tenant's first event" rows=${data.handlers} rowKey=${(h) => h.name} empty="No event was handled yet." columns=${[
      { title: "Handler", value: (h) => h.name },
      { title: "Events", number: true, value: (h) => number(h.events) },
      { title: "Failed", number: true, value: (h) => bad(h.failed) },
      { title: "Part that failed", number: true, value: (h) => percent(h.events ? h.failed / h.events : null) },
      { title: "Wait on average", number: true, value: (h) => duration(h.waitMs) },
      { title: "95 of 100 wait at most", number: true, value: (h) => (h.waitMost === Infinity ? "longer" : duration(h.waitMost)) },
      { title: "A batch takes", number: true, value: (h) => duration(h.batchMs) },
    ]} />
    <${Table} caption="Given up since then" rows=${data.queues} rowKey=${(q) => q.name} empty="Nothing was given up." columns=${[
      { title: "Queue", value: (q) => q.name },
      { title: "Dead letters", number: true, value: (q) => bad(q.dead) },
    ]} />`}
  </section>`;
}

function Filter({ query, error }) {
  const [values, setValues] = useDraft(Object.fromEntries(filters.map((name) => [name, query[name] ?? ""])));
  const form = useRef(null);
  useFault(form, error, filters);
  const change = (name) => (value) => setValues((before) => ({ ...before, [name]: value }));
  const submit = (event) => {
    event.preventDefault();
    go("letters", [], Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value.trim()])));
  };
  const own = (name) => ({ value: values[name], error: faultOf(error, name), change: change(name) });
  const asTyped = { spellcheck: false, autocapitalize: "none" };
  return html`<form ref=${form} class="filters" role="search" aria-label="Filter dead letters" onSubmit=${submit}>
    <${Choice} label="Stage" none="any" ...${own("stage")} options=${stages} />
    <${Input} label="Reason" ...${own("reason")} ...${asTyped} />
    <${Input} label="Document" ...${own("docId")} ...${asTyped} />
    <${Input} label="From" type="date" ...${own("from")} />
    <${Input} label="Before" type="date" ...${own("to")} />
    <${Choice} label="Sent again" none="either" ...${own("replayed")} options=${[["false", "not yet"], ["true", "already"]]} />
    <button>Filter</button>
    <p class="shortcuts"><a href=${href("letters")}>All</a></p>
  </form>`;
}

/** Count is how many there are for which reason; each is a filter. */
const Count = ({ of, query }) => html`<p>${plural(of.total, "letter")}${of.capped ? " at least" : ""}: ${Object.entries(of.codes).sort(([, a], [, b]) => b - a).map(([code, n]) =>
  html`<a key=${code} class="tag" href=${href("letters", [], { ...query, reason: code })}>${code} ${number(n)}</a> `)}</p>`;

function Letter({ id }) {
  const [replaying, setReplaying] = useState(false);
  const { data: letter, error, busy, again } = useAsk((signal) => get(`/events/${encodeURIComponent(id)}`, { signal }), [id]);
  const trace = letter?.traceparent?.split("-")[1];
  return html`
    <p><a href=${href("letters")}>All queues</a></p>
    <div class="head"><${Title}>${letter ? letter.code : "Dead letter"}<//>
      ${letter && may("admin") && !letter.replayedAt && html`<${Going} onClick=${() => setReplaying(true)}>Send again…<//>`}</div>
    ${error && html`<${Problem} error=${error} />`}
    ${busy && !letter && html`<p class="busy" role="status">Loading…</p>`}
    ${letter && html`
      <section aria-labelledby="why"><h2 id="why">Why</h2>
        <p>${letter.message}</p>
        ${letter.reason && letter.reason !== letter.message && html`<pre tabindex="0">${letter.reason}</pre>`}
      </section>
      <section aria-labelledby="what"><h2 id="what">What it is</h2><${Facts} of=${[
          ["Queue", letter.queue], ["Handler", letter.handler], ["Stage", letter.stage], ["Tried", plural(letter.attempts, "time")], ["When", html`<${When} at=${letter.at} />`],
          ["Sent again", letter.replayedAt ? html`<${When} at=${letter.replayedAt} />` : "no"],
          ["Document", letter.docId && html`<${DocumentLink} id=${letter.docId} />${letter.generation > 0 && `, generation ${letter.generation}`}`],
          ["About", letter.subject && html`<code>${letter.subject}</code>`],
          ["Event", letter.type && html`<code>${letter.type}</code>`], ["Event id", letter.eventId && html`<code>${letter.eventId}</code>`],
          ["Trace", trace && html`<${TraceLink} id=${trace} />`],
        ]} /></section>
      <section aria-labelledby="body"><h2 id="body">The message, as it was delivered</h2><pre tabindex="0" aria-labelledby="body">${written(letter.body)}</pre></section>`}
    ${replaying && html`<${Replay} close=${() => { setReplaying(false); again(); }} what=${{ ids: [id] }} />`}`;
}

/** written is a body for people. */
function written(body) {
  if (!body) return "(empty)";
  return pretty(new TextDecoder().decode(Uint8Array.from(atob(body), (c) => c.charCodeAt(0))));
}
