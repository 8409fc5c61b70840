import { html, useRef, useState } from "../../ui.js";
import { post } from "../../api.js";
import { go, href } from "../../router.js";
import { Choice } from "../../parts/choice.js";
import { Field, faultBeside, faultOf, toFault } from "../../parts/field.js";
import { Input } from "../../parts/input.js";
import { JsonField, readObject } from "../../parts/json-field.js";
import { Problem } from "../../parts/problem.js";
import { Title } from "../../parts/title.js";
import { toast } from "../../parts/toast.js";

const types = [["text/plain", "Plain text"], ["text/markdown", "Markdown"], ["text/html", "HTML"], ["application/json", "JSON"], ["text/csv", "CSV"]];
const fields = ["docId", "title", "text", "contentType", "source", "url", "metadata"];

/** Text adds a document by its text. */
export function Text() {
  const [form, setForm] = useState({ docId: "", title: "", text: "", contentType: "text/plain", source: "", url: "", metadata: "" });
  const [state, setState] = useState({});
  const place = useRef(null), sent = useRef({});
  const set = (name) => (value) => setForm({ ...form, [name]: value });
  const submit = async (event) => {
    event.preventDefault();
    const metadata = readObject(form.metadata);
    if (metadata.error) {
      setState({ wrong: metadata.error });
      return toFault(place);
    }
    setState({ busy: true });
    const body = { ...Object.fromEntries(Object.entries(form).filter(([, value]) => value !== "")), text: form.text, metadata: metadata.value };
    if (sent.current.body !== JSON.stringify(body)) sent.current = { body: JSON.stringify(body), key: crypto.randomUUID() }; // the same again is the same document
    try {
      const { docId, unchanged } = await post("/ingest", body, { headers: { "idempotency-key": sent.current.key } });
      toast(unchanged ? "There was nothing to do: the same document is searchable." : "The document was added.");
      go("documents", [docId]);
    } catch (error) {
      setState({ error });
      toFault(place);
    }
  };
  const { error, wrong, busy } = state;
  const line = (name, label, more = {}, hint) => html`<${Input} label=${label} hint=${hint} error=${faultOf(error, name)} autocomplete="off" value=${form[name]} change=${set(name)} ...${more} />`;
  return html`
    <p class="crumb"><a href=${href("documents")}>All documents</a></p>
    <${Title}>Add a text<//>
    <form ref=${place} onSubmit=${submit} aria-busy=${Boolean(busy)}><section aria-label="Document">
      ${faultBeside(error, fields) && html`<${Problem} error=${error} />`}
      <${Field} label="Text" error=${faultOf(error, "text")}>${(props) => html`<textarea ...${props} rows="10" required value=${form.text} onInput=${(e) => set("text")(e.target.value)}></textarea>`}<//>
      <div class="settings">
        ${line("title", "Title", { maxlength: 500 })}
        <${Choice} label="Type" error=${faultOf(error, "contentType")} options=${types} value=${form.contentType} change=${set("contentType")} />
        ${line("docId", "Id", { maxlength: 256, autocapitalize: "none", spellcheck: false, placeholder: "the platform's choice" }, "The same id again replaces the document.")}
        ${line("source", "Source", { maxlength: 500 }, "Searches can filter on it.")}
        <div class="wide">${line("url", "Address", { type: "url", maxlength: 2048, inputmode: "url" }, "Where it can be read; it comes with its sources.")}</div>
        <div class="wide"><${JsonField} label="Metadata" hint=${html`A JSON object, such as <code>{"year": 2026}</code>.`} value=${form.metadata} onInput=${set("metadata")} error=${wrong ?? faultOf(error, "metadata")} rows=${2} /></div>
      </div>
      <p class="buttons"><button class="primary" disabled=${busy || !form.text.trim()}>${busy ? "Adding…" : "Add the document"}</button></p>
    </section></form>`;
}
