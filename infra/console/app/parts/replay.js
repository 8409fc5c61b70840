import { html, useEffect, useRef, useState } from "../ui.js";
import { post } from "../api.js";
import { announce } from "./announce.js";
import { useAsk } from "./ask.js";
import { Dialog } from "./dialog.js";
import { Facts } from "./facts.js";
import { number, plural } from "./format.js";
import { Problem } from "./problem.js";

const path = "/events/replay";
const atOnce = 100;

/** Replay sends dead letters again: first it says how many that would be, and nothing goes out before somebody has agreed. */
export function Replay({ what, close }) {
  const dry = useAsk((signal) => post(path, { ...what, dryRun: true }, { signal }));
  const [done, setDone] = useState(null); // {sent, skipped, next, over}
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(false);
  const left = useRef(new AbortController());
  const end = useRef(null);
  useEffect(() => () => left.current.abort(), []);
  useEffect(() => {
    if (dry.data) announce(`${plural(dry.data.matched, "letter")} would be sent again.`);
  }, [dry.data]);
  const replay = async () => {
    if (busy) return;
    const { signal } = left.current;
    setBusy(true);
    setError(null);
    let { sent, skipped, next } = done ?? { sent: 0, skipped: [], next: undefined };
    try {
      do {
        const page = await post(path, { ...what, limit: atOnce, cursor: next }, { signal, headers: { "idempotency-key": crypto.randomUUID() } });
        sent += page.replayed;
        skipped = [...skipped, ...page.skipped];
        next = page.next;
        setDone({ sent, skipped, next });
      } while (next && !signal.aborted);
      setDone({ sent, skipped, over: true });
      announce(`${plural(sent, "letter")} sent again${skipped.length ? `, ${number(skipped.length)} skipped` : ""}.`);
      requestAnimationFrame(() => end.current?.focus());
    } catch (failure) {
      if (!signal.aborted) setError(failure);
    }
    setBusy(false);
  };
  const matched = dry.data?.matched ?? 0;
  return html`<${Dialog} title="Send again?" close=${close}>
    ${dry.busy && html`<p class="busy" role="status">Counting…</p>`}
    ${dry.error && html`<${Problem} error=${dry.error} />`}
    ${dry.data && !done && html`
      <p>${matched === 0 ? "There is nothing to send: all of them were sent again already." : html`<strong>${plural(matched, "letter")}</strong> will be sent again. Documents begin anew from what they were submitted with, which costs what it cost before.`}</p>
      ${matched > 0 && dry.data.count && html`<${Facts} of=${[["Reasons", tags(dry.data.count.codes)], ["Stages", tags(dry.data.count.stages)]]} />`}`}
    ${done && html`<p><progress aria-label="Sent again" value=${done.sent + done.skipped.length} max=${Math.max(matched, done.sent + done.skipped.length, 1)}></progress></p>
      <p>${plural(done.sent, "letter")} sent again${done.skipped.length ? `, ${number(done.skipped.length)} skipped` : ""}.</p>
      ${done.skipped.length > 0 && html`<ul>${done.skipped.slice(0, 20).map((s) => html`<li key=${s.id}><code>${s.code}</code> ${s.message}</li>`)}</ul>`}`}
    ${error && html`<${Problem} error=${error} />`}
    <p class="buttons">
      ${done?.over ? html`<button type="button" class="primary" ref=${end} onClick=${close}>Done</button>` : html`
        ${matched > 0 && html`<button type="button" class="primary" aria-busy=${busy} onClick=${replay}>${busy ? "Sending…" : done ? "Go on" : `Send ${plural(matched, "letter")} again`}</button>`}
        <button type="button" onClick=${close}>${busy ? "Stop" : "Cancel"}</button>`}
    </p>
  <//>`;
}

/** tags are counts by their names, if there are any. */
const tags = (counts) => counts && Object.keys(counts).length > 0 && Object.entries(counts).map(([name, n]) => html`<span key=${name} class="tag">${name} ${number(n)}</span> `);
