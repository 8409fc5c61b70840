import { html, useState } from "../../ui.js";
import { del, get } from "../../api.js";
import { href } from "../../router.js";
import { announce } from "../../parts/announce.js";
import { usePages } from "../../parts/ask.js";
import { Confirm } from "../../parts/confirm.js";
import { Facts } from "../../parts/facts.js";
import { When, bytes, money, number } from "../../parts/format.js";
import { Going } from "../../parts/going.js";
import { JobState, Progress, Receipt, counted, isOver, useJob } from "../../parts/job.js";
import { DocumentLink } from "../../parts/links.js";
import { More } from "../../parts/more.js";
import { Problem } from "../../parts/problem.js";
import { Problems } from "../../parts/problems.js";
import { Title } from "../../parts/title.js";
import { toast } from "../../parts/toast.js";

/** about is what a job is about, in few words. */
export const about = (job) => job.docId ?? job.of?.url ?? job.of?.prefix ?? job.source ?? job.model ?? job.transfer?.from ?? (job.kind === "erase" ? "everything" : `${job.of?.kind ?? job.kind} ${job.jobId.slice(-6)}`);

/** Job is one job as it goes on. */
export function Job({ id }) {
  const { job: told, error, cut } = useJob(id, (job) => isOver(job) && announce(`The job has ${job.state === "cancelled" ? "been cancelled" : job.state}.`));
  const [cancelled, setCancelled] = useState(null);
  const [asked, setAsked] = useState(false);
  const job = cancelled?.updatedAt > told?.updatedAt ? cancelled : told;
  return html`
    <p class="crumb"><a href=${href("jobs")}>All jobs</a></p>
    <div class="head"><${Title}>${job ? about(job) : "Job"}<//>
      ${job && !isOver(job) && job.kind !== "erase" && html`<${Going} class="danger" onClick=${() => setAsked(true)}>Cancel<//>`}</div>
    ${error && html`<${Problem} error=${error} />`}
    ${cut && html`<p class="note warn" role="status">The connection was cut. What is here is as it was; it goes on as soon as the platform answers.</p>`}
    ${!job && !error && html`<p class="busy" role="status">Loading…</p>`}
    ${job && html`<${Standing} job=${job} />`}
    ${job?.errors?.length > 0 && html`<section aria-label="What went wrong"><h2>What went wrong</h2>${job.kind === "import" ? html`<${All} job=${job} />` : html`<${Problems} caption="As it was found" rows=${job.errors} />`}</section>`}
    ${job?.receipt && html`<section aria-labelledby="receipt"><h2 id="receipt">Receipt</h2><${Receipt} receipt=${job.receipt} /></section>`}
    ${job?.transfer && html`<section aria-labelledby="moved"><h2 id="moved">What was moved</h2><${Moved} transfer=${job.transfer} /></section>`}
    ${asked && html`<${Cancel} job=${job} close=${() => setAsked(false)} done=${setCancelled} />`}`;
}

function Standing({ job }) {
  const facts = [
    ["Kind", job.kind], ["Stage", job.stage], ["Document", job.docId && html`<${DocumentLink} id=${job.docId} />`],
    ["Came with", job.importId && html`<a href=${href("jobs", [job.importId])}>an import</a>`], ["Source", job.source], ["Of", job.of && html`${job.of.kind} ${job.of.url ?? job.of.prefix ?? ""}`], ["Model", job.model],
    ["Took", job.cost && `${number(job.cost.tokens)} tokens, ${money(job.cost.nanoUSD)}`], ["Begun", html`<${When} at=${job.createdAt} />`], ["Changed", html`<${When} at=${job.updatedAt} />`], ["Id", html`<code>${job.jobId}</code>`],
  ];
  return html`<section aria-label="How it stands">
    <p><${JobState} job=${job} />${job.unchanged && " – there was nothing to do: the same document is searchable"}</p>
    <${Progress} label="Progress" value=${job.percent}>${counted(job)}<//>
    ${job.note && html`<p class="note warn">${job.note.message} <code>${job.note.code}</code>${job.note.hint && ` – ${job.note.hint}`}</p>`}
    <${Facts} of=${facts} />
    ${job.kind === "import" && html`<p class="buttons"><a href=${href("jobs", [], { importId: job.jobId })}>The jobs of its documents</a></p>`}
  </section>`;
}

/** All lists what went wrong with an import, by pages. */
function All({ job }) {
  const list = usePages(async (signal, cursor) => {
    const { problems, next } = await get(`/jobs/${encodeURIComponent(job.jobId)}/problems`, { query: { cursor, limit: 50 }, signal });
    return { rows: problems, next };
  }, [job.counts.failed]);
  return html`
    ${list.error && html`<${Problem} error=${list.error} />`}
    <${Problems} caption="In the order in which it was found" rows=${list.rows ?? job.errors} />
    <${More} list=${list} />`;
}

const Moved = ({ transfer: t }) => html`<${Facts} of=${[
  ["From", t.from], ["Documents there", `${number(t.documents)}, ${bytes(t.bytes)}`], ["Brought", number(t.brought)], ["Here already", number(t.same)], ["Deleted", number(t.deleted)],
  ["Conversations", t.sessions && `${number(t.sessions.brought)} of ${number(t.sessions.found)} brought`],
]} />`;

/** Cancel cancels a job, once somebody has said so. */
function Cancel({ job, close, done }) {
  const cancel = async () => {
    const now = await del(`/jobs/${encodeURIComponent(job.jobId)}`);
    done(now);
    toast(now.state === "cancelled" ? "The job was cancelled." : `The job had ended by then: it has ${now.state}.`);
  };
  return html`<${Confirm} title="Cancel this job?" yes="Cancel the job" doing="Cancelling…" no="Let it go on" act=${cancel} close=${close}>
    <p>What has not begun does not begin, and what is on its way is not shown. What is searchable already stays.</p>
  <//>`;
}
