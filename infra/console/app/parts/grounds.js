// What an answer rests on: its markers, its sources, and the sentences that none of them says.
import { html, useState } from "../ui.js";
import { plural } from "./format.js";
import { DocumentLink } from "./links.js";
import { Markdown } from "./markdown.js";
import { PassageDialog } from "./passage.js";

const nameOf = (source) => source?.title || source?.docId || "";

/**
 * Grounded is a text whose markers open their sources with the words marked that are cited. `sources` may be missing, as in what is told
 * later of a conversation: the citations name them, then.
 */
export function Grounded({ text, sources = [], citations = [] }) {
  const [shown, setShown] = useState(null);
  const highest = Math.max(sources.length, ...citations.map((c) => c.marker), 0);
  const names = Array.from({ length: highest }, (_, i) => nameOf(sources[i]) || citations.find((c) => c.marker === i + 1)?.docId || "");
  const open = (n, times) => {
    const cited = citations.filter((c) => c.marker === n && c.source);
    const source = sources[n - 1], citation = cited[Math.min(times, cited.length - 1)];
    setShown({ docId: source?.docId ?? citation.docId, title: nameOf(source), text: source?.text, start: citation?.start ?? source.start, end: citation?.end ?? source.end, quote: citation?.quote, citation });
  };
  return html`<${Markdown} text=${text} sources=${names} open=${open} />
    <${Unsupported} citations=${citations} />
    ${shown && html`<${PassageDialog} passage=${shown} close=${() => setShown(null)}><${Said} citation=${shown.citation} /><//>`}`;
}

/**
 * shared gives each text of an answer the citations of the sentences that end in it. They come in the order of the sentences, which have no
 * markers; the first of a text's [1] has the first of its citations, then, whatever other texts have.
 */
export function shared(texts, citations = []) {
  let said = "";
  const ends = texts.map((text) => (said += bare(text)).length), shares = texts.map(() => []);
  let from = 0;
  for (const citation of citations) {
    const sentence = bare(citation.sentence), at = said.indexOf(sentence, from);
    if (at >= 0) from = at; // one that is not found stays with the one before it
    const end = at < 0 ? from + 1 : at + Math.max(1, sentence.length);
    shares[ends.findIndex((until) => until >= end)]?.push(citation);
  }
  return shares;
}

/** bare is a text without its markers, and without spaces: they go along with the markers. */
const bare = (text) => text.replace(/\[\d[\d,; ]*\]|【\d[\d,; ]*】|\s/g, "");

const Said = ({ citation }) => citation && html`<p class=${`note ${citation.supported ? "good" : "warn"}`}>${citation.supported ? "It says what the answer says:" : "It comes nearest, but does not say what the answer says:"} “${citation.sentence}”</p>`;

function Unsupported({ citations }) {
  const alone = citations.filter((c) => !c.supported);
  if (alone.length === 0) return null;
  return html`<details class="note warn"><summary>${plural(alone.length, "sentence is", "sentences are")} not backed by the sources</summary>
    <ul>${alone.map((c, i) => html`<li key=${i}>${c.sentence}</li>`)}</ul></details>`;
}

/** Sources is the places that were found, the best first, with what their scores are made of. */
export function Sources({ sources, citations = [] }) {
  const [shown, setShown] = useState(null);
  return html`<ol class="sources">${sources.map((source, i) => html`<li key=${source.chunkId}>
      <div class="head"><h3><span class="rank">${i + 1}</span> <${DocumentLink} id=${source.docId} query=${{ start: source.start, end: source.end }}>${nameOf(source)}<//></h3>
        <button type="button" aria-label=${`Show ${nameOf(source)} in its document, source ${i + 1}`} onClick=${() => setShown(source)}>In its document</button></div>
      <p class="small">${source.title && html`<code>${source.docId}</code> `}${source.source && html`<span class="tag">${source.source}</span> `}<${Scores} source=${source} /></p>
      <${Quoted} source=${source} citations=${citations.filter((c) => c.supported && c.source === source.chunkId)} />
      ${source.context && html`<details><summary>With its neighbours</summary><div class="text" tabindex="0" role="region" aria-label=${`Around source ${i + 1}`}>${source.context.text}</div></details>`}
      ${source.duplicates && html`<p class="small">${plural(source.duplicates, "passage says", "passages say")} the same, and ${source.duplicates === 1 ? "was" : "were"} left out.</p>`}
    </li>`)}</ol>
    ${shown && html`<${PassageDialog} passage=${{ ...shown, quote: shown.text }} close=${() => setShown(null)} />`}`;
}

const parts = { vector: "meaning", keyword: "words", fused: "both", rerank: "reranked", boost: "boost" };

const Scores = ({ source }) => html`<span class="scores">score <b>${source.score.toFixed(2)}</b>${Object.entries(parts).filter(([part]) => source.scores[part] !== undefined)
  .map(([part, name]) => html` · ${name} ${source.scores[part].toFixed(2)}`)}</span>`;

/** Quoted is the text of a source with what the answer cites of it marked. Places are bytes of the document. */
function Quoted({ source, citations }) {
  const data = new TextEncoder().encode(source.text), text = (a, b) => new TextDecoder().decode(data.subarray(a, b));
  const pieces = [];
  let at = 0;
  for (const { start, end } of citations.toSorted((a, b) => a.start - b.start)) {
    const from = Math.max(at, start - source.start), to = Math.min(data.length, end - source.start);
    if (to <= from) continue;
    pieces.push(text(at, from), html`<mark>${text(from, to)}</mark>`);
    at = to;
  }
  return html`<blockquote class="quoted">${pieces}${text(at)}</blockquote>`;
}

const without = { vector: "the index of meanings", keyword: "the index of words", rerank: "the reranker", expand: "the neighbours", rewrite: "making the question whole" };

/** Remarks is what is to be known of how something was found: what could not be had, what was asked instead, what the policy found. */
export function Remarks({ rewritten, degraded = [], safety }) {
  const blocked = safety?.sources?.filter((s) => s.blocked).length ?? 0;
  return html`
    ${rewritten && html`<p class="note">Searched for: “${rewritten}”</p>`}
    ${degraded.map(({ part, code }) => html`<p key=${part} class="note warn">Made without ${without[part] ?? part}, which could not be had (<code>${code}</code>).</p>`)}
    ${safety?.input && html`<p class="note warn">The tenant's policy took this for ${safety.input.kind} (${safety.input.rule}, ${Math.round(safety.input.score * 100)} %).</p>`}
    ${blocked > 0 && html`<p class="note warn">${plural(blocked, "source was", "sources were")} left out by the tenant's policy.</p>`}
    ${safety?.redacted?.length > 0 && html`<p class="note">Personal data was taken out: ${safety.redacted.join(", ")}.</p>`}`;
}
