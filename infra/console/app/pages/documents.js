import { html } from "../ui.js";
import { get } from "../api.js";
import { go, href } from "../router.js";
import { may } from "../session.js";
import { useEvery, usePages } from "../parts/ask.js";
import { Choice } from "../parts/choice.js";
import { useDraft } from "../parts/field.js";
import { When, bytes, number } from "../parts/format.js";
import { Input } from "../parts/input.js";
import { More } from "../parts/more.js";
import { Problem } from "../parts/problem.js";
import { Table } from "../parts/table.js";
import { Title } from "../parts/title.js";
import { Document, DocumentState, isSettled } from "./documents/document.js";
import { Text } from "./documents/text.js";
import { Upload } from "./documents/upload.js";

const states = ["submitted", "chunked", "indexed", "failed", "cancelled", "deleted"];
const refresh = 3000; // milliseconds

/** Documents is the tenant's documents, one of them, or what adds some. */
export default function Documents({ rest: [id], query }) {
  if (id) return html`<${Document} key=${id} id=${id} query=${query} />`;
  if (query.add === "text" && may("ingest")) return html`<${Text} />`;
  if (query.add === "files" && may("ingest")) return html`<${Upload} />`;
  return html`<${List} query=${query} />`;
}

function List({ query: { state, prefix, source } }) {
  const [form, setForm] = useDraft({ prefix: prefix ?? "", source: source ?? "" });
  const list = usePages(async (signal, cursor) => {
    const { documents, next } = await get("/documents", { query: { state, prefix, source, cursor, limit: 50 }, signal });
    return { rows: documents, next };
  }, [state, prefix, source]);
  const { rows } = list;
  const going = rows?.length <= 50 && rows.some((d) => !isSettled(d)); // with more, the further pages would go
  useEvery(going, refresh, list);
  const filter = (more) => go("documents", [], { state, ...form, ...more }, { replace: true });
  const field = (name, label) => html`<${Input} label=${label} autocomplete="off" autocapitalize="none" spellcheck=${false} value=${form[name]} change=${(value) => setForm({ ...form, [name]: value })} />`;
  const filtered = state || prefix || source;
  return html`
    <div class="head"><${Title}>Documents<//>${may("ingest") && html`<p class="marks"><a class="button" href=${href("documents", [], { add: "files" })}>Upload files</a> <a class="button second" href=${href("documents", [], { add: "text" })}>Add a text</a></p>`}</div>
    <form class="filters above" onSubmit=${(event) => { event.preventDefault(); filter({}); }}>
      <${Choice} label="State" none="all" value=${state} options=${states} change=${(state) => filter({ state })} />
      ${field("prefix", "Id begins with")}${field("source", "Source")}
      <button>Filter</button>
    </form>
    ${list.error && html`<${Problem} error=${list.error} again=${list.again} />`}
    ${!rows && !list.error && html`<p class="busy" role="status">Loading…</p>`}
    ${rows && html`<section aria-label="Documents"><${Table} caption="In the order of their ids" rows=${rows} rowKey=${(d) => d.docId} empty=${filtered ? list.more ? "None here is like that; there may be more." : "No document is like that." : "No documents yet."} columns=${[
      { title: "Document", value: (d) => html`<a href=${href("documents", [d.docId])}>${d.title || d.docId}</a>${d.title && html`<br /><code class="small">${d.docId}</code>`}` },
      { title: "State", value: (d) => html`<${DocumentState} of=${d} />` },
      { title: "Searchable", value: (d) => (d.notSearchable ? (d.searchable ? `generation ${d.searchable}, not ${d.generation}` : `no: ${d.notSearchable.code.replace("_", " ")}`) : "yes") },
      { title: "Size", number: true, value: (d) => bytes(d.bytes) },
      { title: "Passages", number: true, value: (d) => number(d.chunks) },
      { title: "Changed", value: (d) => html`<${When} at=${d.updatedAt} />` },
    ]} /></section>`}
    <${More} list=${list} />`;
}
