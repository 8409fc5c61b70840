import { html, useEffect, useRef, useState } from "../../ui.js";
import { blob, del, get } from "../../api.js";
import { go, href } from "../../router.js";
import { may } from "../../session.js";
import { announce } from "../../parts/announce.js";
import { useAsk } from "../../parts/ask.js";
import { Confirm } from "../../parts/confirm.js";
import { Facts } from "../../parts/facts.js";
import { When, bytes, money, number, plural } from "../../parts/format.js";
import { Going } from "../../parts/going.js";
import { JobState, Progress, Receipt, counted, isOver, useJob } from "../../parts/job.js";
import { Passage } from "../../parts/passage.js";
import { Problem } from "../../parts/problem.js";
import { save } from "../../parts/save.js";
import { Table } from "../../parts/table.js";
import { Title } from "../../parts/title.js";
import { toast } from "../../parts/toast.js";

const looks = { indexed: "good", failed: "bad", cancelled: "warn", deleted: "warn" };

/** isSettled tells whether nothing will happen to a document by itself. */
export const isSettled = (d) => !d.notSearchable || ["failed", "cancelled", "deleted"].includes(d.notSearchable.code);

/** DocumentState is the state of a document's newest generation. */
export const DocumentState = ({ of: { state } }) => html`<span class=${`state ${looks[state] ?? ""}`}>${state}</span>`;

/** Document is what is known of one document. With `erased` in the address it is the job of its erasure. */
export function Document({ id, query }) {
  const path = `/documents/${encodeURIComponent(id)}`;
  const { data: doc, error, busy, again } = useAsk((signal) => get(path, { signal }), [id, query.erased]);
  const [asked, setAsked] = useState(false);
  const going = doc && !isSettled(doc) && may("jobs") ? doc.jobId : undefined;
  const { job, cut } = useJob(going, (job) => isOver(job) && announce(`The document has ${job.state === "cancelled" ? "been cancelled" : job.state}.`));
  const told = useRef(null);
  useEffect(() => {
    if (!job || busy || told.current === job) return;
    told.current = job;
    again(); // the ledger has more to tell than the job; one after the other
  }, [job, busy]);
  const start = Number(query.start ?? 0), end = Number(query.end ?? 0);
  const original = async () => {
    try {
      save(await blob(`${path}/content`, { query: { original: true } }), id.split("/").pop());
    } catch (failure) {
      toast(`${failure.message} (${failure.code})`, "bad");
    }
  };
  return html`
    <p class="crumb"><a href=${href("documents")}>All documents</a></p>
    <div class="head"><${Title}>${doc?.title || id}<//><p class="marks">
      ${doc && doc.state !== "deleted" && html`<button type="button" onClick=${original}>Download the original</button> ${may("ingest") && html`<${Going} class="danger" onClick=${() => setAsked(true)}>Delete<//>`}`}</p></div>
    ${query.erased && html`<${Erasure} jobId=${query.erased} />`}
    ${error && !(query.erased && error.status === 404) && html`<${Problem} error=${error} again=${error.status === 404 ? undefined : again} />`}
    ${!doc && !error && html`<p class="busy" role="status">Loading…</p>`}
    ${cut && html`<p class="note warn" role="status">The connection was cut. What is here is as it was; it goes on as soon as the platform answers.</p>`}
    ${doc && doc.state !== "deleted" && html`
      <${Standing} doc=${doc} job=${job} />
      <${Ledger} doc=${doc} />
      <section aria-labelledby="text"><h2 id="text">${end ? "The passage" : "Its text"}</h2><${Passage} key=${`${doc.generation} ${doc.state} ${start} ${end}`} docId=${id} start=${start} end=${end} /></section>`}
    ${doc?.state === "deleted" && !query.erased && html`<p class="note">This document was deleted: no search shows it.${may("jobs") && html` <a href=${href("jobs", [doc.jobId])}>The job of its erasure</a> has the receipt.`}</p>`}
    ${asked && html`<${Delete} id=${id} path=${path} close=${() => setAsked(false)} />`}`;
}

/** Standing is whether searches show a document, why not, and what it is. */
function Standing({ doc, job }) {
  const facts = [
    ["Id", html`<code>${doc.docId}</code>`], ["Source", doc.source], ["Address", doc.url], ["Type", doc.contentType], ["Size", bytes(doc.bytes)], ["Passages", number(doc.chunks)], ["Embedding model", doc.model],
    ["Took", `${number(doc.cost.tokens)} tokens, ${money(doc.cost.nanoUSD)}`], ["Added", html`<${When} at=${doc.createdAt} />`], ["Changed", html`<${When} at=${doc.updatedAt} />`],
    ["Came with", doc.importId && (may("jobs") ? html`<a href=${href("jobs", [doc.importId])}>an import</a>` : "an import")], ["Job", may("jobs") && html`<a href=${href("jobs", [doc.jobId])}>${doc.jobId.slice(-12)}</a>`],
  ];
  return html`<section aria-label="How it stands">
    <p><${DocumentState} of=${doc} /> ${doc.notSearchable ? (doc.searchable ? html`– searches still show generation ${doc.searchable}` : "– searches do not show it") : "– searches show it"}</p>
    ${doc.notSearchable && html`<${Why} why=${doc.notSearchable} />`}
    ${job && !isOver(job) && html`<${Progress} label="Progress" value=${job.percent}>${counted(job)}<//>`}
    <${Facts} of=${facts} />
    ${doc.metadata && Object.keys(doc.metadata).length > 0 && html`<p class="meta">${Object.entries(doc.metadata).map(([name, value]) => html`<span key=${name} class="tag">${name}: ${[value].flat().join(", ")}</span> `)}</p>`}
  </section>`;
}

/** Why says why the newest generation is not searchable. */
const Why = ({ why }) => html`<div class=${`note ${why.code === "failed" ? "bad" : "warn"}`}>
  <p><strong>Why it is not searchable:</strong> ${why.message} <code>${why.error ?? why.code}</code></p>
  ${why.hint && html`<p>${why.hint}</p>`}
  <p class="small">${[why.stage && `at the stage ${why.stage}`, why.attempts && plural(why.attempts, "attempt"), why.before && `${plural(why.before, "document")} before it`].filter(Boolean).join(", ")} since <${When} at=${why.since} />${why.next && html`; again <${When} at=${why.next} />`}</p>
</div>`;

/** Ledger is what has happened to a document: the stages of the newest generation, and the generations. */
const Ledger = ({ doc }) => html`<section aria-labelledby="ledger"><h2 id="ledger">Ledger</h2>
  <${Table} caption=${`Stages of generation ${doc.generation}`} rows=${doc.stages} rowKey=${(s) => s.stage} columns=${[
    { title: "Stage", value: (s) => s.stage },
    { title: "Done", number: true, value: (s) => `${number(s.done)} of ${number(s.total)}` },
    { title: "Attempts", number: true, value: (s) => number(s.attempts ?? 0) },
    { title: "Error", value: (s) => (s.error ? html`<code>${s.error}</code>` : "–") },
    { title: "At", value: (s) => html`<${When} at=${s.at} />` },
  ]} />
  <${Table} caption="Generations, the newest first" rows=${doc.versions} rowKey=${(v) => v.generation} columns=${[
    { title: "Generation", value: (v) => html`${v.generation}${v.searchable && html` <span class="tag">searchable</span>`}` },
    { title: "State", value: (v) => html`<${DocumentState} of=${v} />${v.reason && html` <code>${v.reason}</code>`}` },
    { title: "Size", number: true, value: (v) => bytes(v.bytes) },
    { title: "Passages", number: true, value: (v) => number(v.chunks) },
    { title: "Submitted", value: (v) => html`<${When} at=${v.submittedAt} />` },
  ]} />
</section>`;

/** Erasure is what becomes of a document that was deleted, and its receipt. */
function Erasure({ jobId }) {
  const { job, error, cut } = useJob(may("jobs") ? jobId : undefined, (job) => isOver(job) && announce(`The erasure has ${job.state}.`));
  return html`<section aria-labelledby="erasure"><h2 id="erasure">Deleted</h2>
    <p>No search shows it from now on. What is stored of it is being erased, and then the stores are asked whether something is left.</p>
    ${!may("jobs") && html`<p class="note">Your key may not see how far that is: it does not hold the scope <code>jobs</code>. The job is <code>${jobId}</code>.</p>`}
    ${error && html`<${Problem} error=${error} />`}
    ${cut && html`<p class="note warn" role="status">The connection was cut. It goes on as soon as the platform answers.</p>`}
    ${job && html`<p><${JobState} job=${job} /> <a href=${href("jobs", [jobId])}>Job</a></p>`}
    ${job && !isOver(job) && html`<${Progress} label="Erasure" value=${job.percent}>${counted(job)}<//>`}
    ${job?.receipt && html`<h3>Receipt</h3><${Receipt} receipt=${job.receipt} />`}
  </section>`;
}

/** Delete deletes a document, once somebody has said so. */
function Delete({ id, path, close }) {
  const remove = async () => {
    const { jobId } = await del(path);
    toast("The document was deleted.");
    go("documents", [id], { erased: jobId }, { replace: true });
  };
  return html`<${Confirm} title="Delete this document?" yes="Delete the document" doing="Deleting…" no="Keep it" act=${remove} close=${close}>
    <p><code>${id}</code></p>
    <p>No search shows it any more, and what is stored of it is erased: texts, passages, vectors, all generations. This cannot be undone.</p>
  <//>`;
}
