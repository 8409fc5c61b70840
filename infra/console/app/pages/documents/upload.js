import { html, useEffect, useRef, useState } from "../../ui.js";
import { ApiError, upload } from "../../api.js";
import { href } from "../../router.js";
import { may } from "../../session.js";
import { announce } from "../../parts/announce.js";
import { bytes, plural } from "../../parts/format.js";
import { Input } from "../../parts/input.js";
import { JobState, Progress, counted, isOver, useJob } from "../../parts/job.js";
import { Problem } from "../../parts/problem.js";
import { Problems } from "../../parts/problems.js";
import { Stop } from "../../parts/stop.js";
import { Table } from "../../parts/table.js";
import { Title } from "../../parts/title.js";
import { chosen, lines } from "./files.js";

/** Upload takes files in, as many as there are, as one import. */
export function Upload() {
  const [documents, setDocuments] = useState([]);
  const [common, setCommon] = useState({ prefix: "", source: "" });
  const [state, setState] = useState({}); // {step, part}, {error} or {receipt}
  const [over, setOver] = useState(false); // files are held above the page
  const { step, part, error, receipt } = state;
  const sending = useRef(null), picker = useRef(null), sent = useRef({});
  useEffect(() => () => sending.current?.abort(), []);
  const add = (files) => {
    if (!files.length) return;
    setState({});
    setDocuments((before) => chosen(files, before));
    announce(`${plural(files.length, "file")} added.`);
  };
  const drop = (event) => {
    event.preventDefault();
    setOver(false);
    if (!step) add(event.dataTransfer.files); // what comes while files are sent would not go along
  };
  const hold = (event) => {
    event.preventDefault();
    if (step) event.dataTransfer.dropEffect = "none";
    setOver(event.type === "dragover" && !step);
  };
  const send = async (event) => {
    event.preventDefault();
    const { signal } = (sending.current = new AbortController());
    const what = JSON.stringify([common, documents.map((d) => [d.docId, d.file.size, d.file.lastModified])]);
    if (sent.current.what !== what) sent.current = { what, key: crypto.randomUUID() }; // the same again is the same import
    setState({ step: "Reading", part: 0 });
    try {
      const body = await lines(documents, common, (n) => {
        signal.throwIfAborted();
        setState({ step: "Reading", part: n / documents.length });
      });
      setState({ step: `Sending ${bytes(body.size)}`, part: 0 });
      const receipt = await upload("/ingest/batch", body, { headers: { "content-type": "application/x-ndjson", "idempotency-key": sent.current.key }, progress: (part) => setState({ step: `Sending ${bytes(body.size)}`, part }), signal });
      setState({ receipt, names: documents.map((d) => d.file.name) });
      setDocuments([]);
      announce("All was sent.");
    } catch (error) {
      if (signal.aborted) setState({});
      else if (error instanceof ApiError) setState({ error, names: documents.map((d) => d.file.name) });
      else setState({ error: { message: "a file cannot be read", code: error.name, hint: "it may have been changed or removed since it was chosen: choose it again" } });
    }
  };
  const set = (name) => (value) => setCommon({ ...common, [name]: value });
  return html`
    <p class="crumb"><a href=${href("documents")}>All documents</a></p>
    <${Title}>Upload files<//>
    ${receipt && html`<${Outcome} receipt=${receipt} names=${state.names} />`}
    <form onSubmit=${send}><section aria-label="What to upload">
      <div class=${`drop ${over ? "over" : ""}`} onDragOver=${hold} onDragLeave=${hold} onDrop=${drop}>
        <p>Drop files here, or choose them: PDF, Word, PowerPoint, Markdown, HTML, CSV, JSON, and texts.</p>
        <label class="hidden" for="files">Files</label>
        <input id="files" ref=${picker} type="file" multiple disabled=${Boolean(step)} onChange=${(e) => { add([...e.target.files]); e.target.value = ""; }} />
      </div>
      ${documents.length > 0 && html`
        <${Table} caption=${`${plural(documents.length, "file")}, ${bytes(documents.reduce((sum, d) => sum + d.file.size, 0))}`} rows=${documents} rowKey=${(d) => d.docId} columns=${[
          { title: "File", value: (d) => d.file.name },
          { title: "Id", value: (d) => html`<code>${common.prefix}${d.docId}</code>` },
          { title: "Size", number: true, value: (d) => bytes(d.file.size) },
          { title: "", value: (d) => html`<button type="button" class="quiet" disabled=${Boolean(step)} aria-label=${`Leave out ${d.file.name}`} onClick=${() => { setDocuments(documents.filter((other) => other !== d)); picker.current.focus(); }}>Leave out</button>` },
        ]} />
        <div class="settings">
          <${Input} label="Ids begin with" hint="Such as handbook/" autocapitalize="none" spellcheck=${false} value=${common.prefix} disabled=${Boolean(step)} change=${set("prefix")} />
          <${Input} label="Source" hint="Searches can filter on it." maxlength="128" value=${common.source} disabled=${Boolean(step)} change=${set("source")} />
        </div>`}
      ${error && html`<${Problem} error=${error} />${error.details?.errors?.length > 0 && html`<${Problems} caption="What was refused" rows=${error.details.errors} nameOf=${(line) => state.names[line - 1]} />`}`}
      ${step && html`<${Progress} label=${step} value=${Math.round(100 * part)}>${step}: ${Math.round(100 * part)} %<//>`}
      <p class="buttons"><button class="primary" disabled=${Boolean(step) || documents.length === 0}>${documents.length ? `Upload ${plural(documents.length, "file")}` : "Upload"}</button>${step && html`<${Stop} stop=${() => sending.current.abort()} back=${picker} />`}</p>
    </section></form>`;
}

/** Outcome is what becomes of what was sent, until all of it is searchable or has failed. */
function Outcome({ receipt, names }) {
  const { job, error, cut } = useJob(may("jobs") ? receipt.jobId : undefined, (job) => isOver(job) && announce(`The import has ${job.state}: ${counted(job)}.`));
  const heading = useRef(null);
  useEffect(() => heading.current.focus(), []);
  const failed = (job?.errors ?? []).filter((e) => e.docId);
  return html`<section aria-labelledby="outcome"><h2 id="outcome" ref=${heading} tabindex="-1">What was sent</h2>
    ${error && html`<${Problem} error=${error} />`}
    ${cut && html`<p class="note warn" role="status">The connection was cut. It goes on as soon as the platform answers.</p>`}
    ${job ? html`<p><${JobState} job=${job} /> <a href=${href("jobs", [receipt.jobId])}>Job</a> · <a href=${href("documents")}>Documents</a></p>
      <${Progress} label="Import" value=${job.percent}>${counted(job)}<//>` : html`<p>${plural(receipt.entries ?? 0, "document")} taken, ${receipt.refused} refused.</p>`}
    ${receipt.errors.length > 0 && html`<${Problems} caption="Files that were refused" rows=${receipt.errors} nameOf=${(line) => names[line - 1] ?? `line ${line}`} />`}
    ${failed.length > 0 && html`<${Problems} caption="Documents that failed" rows=${failed} />`}
  </section>`;
}
