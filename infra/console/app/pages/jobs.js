import { html, useState } from "../ui.js";
import { get } from "../api.js";
import { go, href } from "../router.js";
import { announce } from "../parts/announce.js";
import { useEvery, usePages } from "../parts/ask.js";
import { Choice } from "../parts/choice.js";
import { When } from "../parts/format.js";
import { JobState, Progress, counted, isOver, useJob } from "../parts/job.js";
import { More } from "../parts/more.js";
import { Problem } from "../parts/problem.js";
import { Table } from "../parts/table.js";
import { Title } from "../parts/title.js";
import { Job, about } from "./jobs/job.js";

const kinds = ["ingest", "import", "erase", "reembed", "move"];
const states = ["queued", "running", "succeeded", "failed", "cancelled"];
const followed = 3; // at once: a browser has few connections to a host
const refresh = 8000; // milliseconds

/** Jobs is all of the tenant's jobs, or one. */
export default ({ rest: [id], query }) => (id ? html`<${Job} key=${id} id=${id} />` : html`<${List} query=${query} />`);

function List({ query: { kind, state, importId } }) {
  const list = usePages(async (signal, cursor) => {
    const { jobs, next } = await get("/jobs", { query: { kind, state, importId, cursor, limit: 50 }, signal });
    return { rows: jobs, next };
  }, [kind, state, importId]);
  const [live, setLive] = useState({}); // what has been told since
  const rows = list.rows?.map((job) => (live[job.jobId]?.updatedAt >= job.updatedAt ? live[job.jobId] : job));
  const going = rows?.filter((job) => !isOver(job)).slice(0, followed) ?? [];
  useEvery(list.rows?.length <= 50, refresh, list); // with more, the further pages would go
  const told = (job) => {
    setLive((before) => ({ ...before, [job.jobId]: job }));
    if (isOver(job)) announce(`The ${job.kind} of ${about(job)} has ${job.state === "cancelled" ? "been cancelled" : job.state}.`);
  };
  const filter = (name) => (value) => go("jobs", [], { kind, state, importId, [name]: value }, { replace: true });
  return html`
    <div class="head"><${Title}>Jobs<//><button type="button" onClick=${list.again}>Ask again</button></div>
    <div class="filters above">
      <${Choice} label="Kind" none="all" value=${kind} options=${kinds} change=${filter("kind")} />
      <${Choice} label="State" none="all" value=${state} options=${states} change=${filter("state")} />
      ${importId && html`<p class="note">Those of one import. <a href=${href("jobs", [importId])}>The import</a> · <a href=${href("jobs", [], { kind, state })}>All jobs</a></p>`}
    </div>
    ${list.error && html`<${Problem} error=${list.error} again=${list.again} />`}
    ${!rows && !list.error && html`<p class="busy" role="status">Loading…</p>`}
    ${rows && html`<section aria-label="Jobs"><${Table} caption="The newest first. What goes on is told as it happens." rows=${rows} rowKey=${(job) => job.jobId} empty=${kind || state || importId ? "No job is like that." : "No jobs yet. Adding a document begins one."} columns=${[
      { title: "Job", value: (job) => html`<a href=${href("jobs", [job.jobId])}>${about(job)}</a>` },
      { title: "State", value: (job) => html`<${JobState} job=${job} />` },
      { title: "Progress", value: (job) => (isOver(job) ? counted(job) : html`<${Progress} label=${`Progress of ${about(job)}`} value=${job.percent}>${counted(job)}<//>`) },
      { title: "Kind", value: (job) => job.kind },
      { title: "Changed", value: (job) => html`<${When} at=${job.updatedAt} />` },
    ]} /></section>`}
    <${More} list=${list} />
    ${going.map((job) => html`<${Live} key=${job.jobId} id=${job.jobId} told=${told} />`)}`;
}

/** Live is nothing to see: it follows a job of the list. */
function Live({ id, told }) {
  useJob(id, told);
  return null;
}
