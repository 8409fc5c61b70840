// Jobs as they go on.
import { html, useEffect, useState } from "../ui.js";
import { stream } from "../api.js";
import { follow } from "../follow.js";
import { Facts } from "./facts.js";
import { When, number, plural } from "./format.js";

/** isOver tells whether a job has ended. */
export const isOver = (job) => ["succeeded", "failed", "cancelled"].includes(job.state);

/** useJob follows a job until its end: {job, error, cut}. `told` is called with the job each time, and with no id nothing is followed. */
export function useJob(id, told = () => {}) {
  const [state, setState] = useState({});
  useEffect(() => {
    setState({});
    if (!id) return undefined;
    const leave = new AbortController(), { signal } = leave;
    const open = (last) => stream("GET", `/jobs/${encodeURIComponent(id)}/events`, { lastEventId: last, signal });
    const tell = async () => {
      for await (const { data } of follow(open, { over: ({ event }) => event === "done", cut: (cut) => setState((before) => ({ ...before, cut })), signal })) {
        const job = JSON.parse(data);
        setState({ job });
        told(job);
      }
    };
    tell().catch((error) => signal.aborted || setState((before) => ({ ...before, cut: false, error })));
    return () => leave.abort();
  }, [id]);
  return state;
}

const looks = { succeeded: "good", failed: "bad", cancelled: "warn" };

/** JobState is how a job stands. */
export const JobState = ({ job }) => html`<span class=${`state ${looks[job.state] ?? ""}`}>${job.state}</span>`;

/** Progress is a bar with its numbers: `value` is 0 to 100. */
export const Progress = ({ label, value, children }) => html`<div class="progress"><progress aria-label=${label} max="100" value=${value}>${value} %</progress><span class="small">${children ?? `${Math.round(value)} %`}</span></div>`;

const units = { ingest: "slice", import: "document", erase: "thing", reembed: "document", move: "document" };

/** counted is the counts of a job in words. */
export function counted(job) {
  const { kind, unchanged: same, counts: { total, done, failed, unchanged, refused, cancelled } } = job;
  const more = [failed && `${number(failed)} failed`, refused && `${number(refused)} of them refused`, unchanged && `${number(unchanged)} unchanged`, cancelled && `${number(cancelled)} cancelled`].filter(Boolean);
  if (total === 0) return isOver(job) ? "nothing was done" : "how much it is, is not known yet";
  if (same) return "unchanged: nothing to do";
  return [`${number(done)} of ${plural(total, units[kind] ?? "step")} done`, ...more].join(", ");
}

/** Receipt is what an erasure found and removed. */
export function Receipt({ receipt }) {
  const { generations, vectors, passages, texts, remaining, checkedAt, stores } = receipt;
  const removed = stores?.map((s) => [s.name, `${number(s.removed)} removed${s.remaining > 0 ? `, ${number(s.remaining)} remain` : ""}`])
    ?? [["Generations", generations], ["Vectors", vectors], ["Passages", passages], ["Texts", texts]].map(([name, n]) => [name, `${number(n)} removed`]);
  const left = checkedAt ? html`<span class=${`state ${remaining ? "warn" : "good"}`}>${remaining ? number(remaining) : "nothing"}</span>, asked <${When} at=${checkedAt} />` : "not asked yet";
  return html`<${Facts} of=${[...removed, ["Still there", left]]} />`;
}
