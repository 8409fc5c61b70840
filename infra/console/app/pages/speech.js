import { html, useEffect, useRef, useState } from "../ui.js";
import { blob, del, get, post } from "../api.js";
import { go, href } from "../router.js";
import { Again } from "../parts/again.js";
import { announce } from "../parts/announce.js";
import { useAsk, usePages } from "../parts/ask.js";
import { Choice } from "../parts/choice.js";
import { Confirm } from "../parts/confirm.js";
import { Facts } from "../parts/facts.js";
import { Field, faultBeside, faultOf, toFault } from "../parts/field.js";
import { money, number, When } from "../parts/format.js";
import { Going } from "../parts/going.js";
import { Input } from "../parts/input.js";
import { JobState, Progress, isOver } from "../parts/job.js";
import { More } from "../parts/more.js";
import { Player } from "../parts/player.js";
import { Problem } from "../parts/problem.js";
import { Table } from "../parts/table.js";
import { Title } from "../parts/title.js";
import { toast } from "../parts/toast.js";

/** Speech has texts spoken, and plays them. */
export default function Speech({ rest }) {
  return rest[0] ? html`<${Job} key=${rest[0]} id=${rest[0]} />` : html`<${All} />`;
}

const State = ({ of }) => (of.expired ? html`<span class="state warn">not kept any more</span>` : html`<${JobState} job=${of} />`);

function All() {
  const voices = useAsk((signal) => get("/tts/voices", { signal }));
  const list = usePages(async (signal, cursor) => {
    const { jobs, next } = await get("/tts/jobs", { signal, query: { cursor, limit: 20 } });
    return { rows: jobs, next };
  });
  return html`
    <div class="head"><${Title}>Speech<//><${Again} ...${list} /></div>
    <section aria-labelledby="new"><h2 id="new">Have a text spoken</h2>
      ${voices.error && html`<${Problem} error=${voices.error} />`}
      ${voices.busy && !voices.data && html`<p class="busy" role="status">Loading…</p>`}
      ${voices.data && html`<${Order} voices=${voices.data} />`}
    </section>
    <section aria-labelledby="spoken"><h2 id="spoken">What was spoken</h2>
      ${list.error && html`<${Problem} error=${list.error} />`}
      ${list.busy && !list.rows && html`<p class="busy" role="status">Loading…</p>`}
      ${list.rows && html`<${Table} caption="The newest first" rows=${list.rows} rowKey=${(j) => j.jobId} empty="No text was spoken yet." columns=${[
        { title: "When", value: (j) => html`<a href=${href("speech", [j.jobId])}><${When} at=${j.createdAt} /></a>` },
        { title: "State", value: (j) => html`<${State} of=${j} />` },
        { title: "Voice", value: (j) => `${j.voice}, ${j.format}${j.speed !== 1 ? `, ${j.speed}×` : ""}` },
        { title: "Characters", number: true, value: (j) => number(j.characters) },
        { title: "Cost", number: true, value: (j) => money(j.cost.nanoUSD) },
        { title: "Kept until", value: (j) => html`<${When} at=${j.expiresAt} />` },
      ]} />
      <${More} list=${list} />`}
    </section>`;
}

function Order({ voices }) {
  const [order, setOrder] = useState({ text: "", model: voices.model, voice: voices.voice, format: voices.format, speed: "1" });
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(false);
  const form = useRef(null);
  const speaker = voices.models.find((m) => m.id === order.model);
  const change = (member) => (value) => setOrder((before) => ({ ...before, [member]: value }));
  const chooseModel = (id) => {
    const model = voices.models.find((m) => m.id === id);
    setOrder((before) => ({ ...before, model: model.id, voice: voices.voices.find((v) => v.model === model.id).id, format: model.formats.includes(before.format) ? before.format : model.formats[0] }));
  };
  const submit = async (event) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      const { jobId } = await post("/tts", { ...order, speed: Number(order.speed) }, { headers: { "idempotency-key": crypto.randomUUID() } });
      go("speech", [jobId]);
    } catch (failure) {
      setError(failure);
      setBusy(false);
      toFault(form);
    }
  };
  const own = (member) => ({ value: order[member], error: faultOf(error, member), change: change(member) });
  const long = [...order.text].length;
  return html`<form ref=${form} onSubmit=${submit} aria-busy=${busy} novalidate>
    ${faultBeside(error, Object.keys(order)) && html`<${Problem} error=${error} />`}
    <${Field} label="Text" hint=${`Headings, such as # One, are chapters. ${number(long)} of ${number(voices.maxCharacters)} characters.`} error=${faultOf(error, "text")}>
      ${(props) => html`<textarea ...${props} rows="6" value=${order.text} onInput=${(e) => change("text")(e.target.value)}></textarea>`}<//>
    <div class="filters">
      ${voices.models.length > 1 && html`<${Choice} label="Model" ...${own("model")} change=${chooseModel} options=${voices.models.map((m) => [m.id, `${m.id.split("/").at(-1)} (${m.language})`])} />`}
      <${Choice} label="Voice" ...${own("voice")} options=${voices.voices.filter((v) => v.model === order.model).map((v) => [v.id, [v.id, ...v.aliases].join(", ")])} />
      <${Choice} label="Format" ...${own("format")} options=${speaker.formats} />
      <${Input} label=${`Speed: ${order.speed}×`} type="range" min=${voices.minSpeed} max=${voices.maxSpeed} step="0.05" ...${own("speed")} />
      <button class="primary" disabled=${busy}>${busy ? "Asking…" : "Speak"}</button>
    </div>
  </form>`;
}

const pause = 700;

/** Job follows a text until it is spoken, then it plays it. */
function Job({ id }) {
  const [job, setJob] = useState(null);
  const [error, setError] = useState(null);
  const [stopping, setStopping] = useState(false);
  const [turn, setTurn] = useState(0);
  const path = `/tts/jobs/${encodeURIComponent(id)}`;
  useEffect(() => {
    const left = new AbortController();
    let timer;
    const look = async (waited) => {
      try {
        const found = await get(path, { signal: left.signal });
        setJob(found);
        setError(null);
        if (!isOver(found)) timer = setTimeout(look, pause, true);
        else if (waited) announce(found.state === "succeeded" ? "The text is spoken." : `The text is not spoken: ${found.state}.`);
      } catch (failure) {
        if (!left.signal.aborted) setError(failure);
      }
    };
    look(false);
    return () => {
      left.abort();
      clearTimeout(timer);
    };
  }, [turn]);
  return html`
    <p><a href=${href("speech")}>All speech</a></p>
    <div class="head"><${Title}>Spoken text<//>${job && !isOver(job) && html`<${Going} class="danger" onClick=${() => setStopping(true)}>Cancel…<//>`}</div>
    ${error && html`<${Problem} error=${error} again=${() => setTurn((n) => n + 1)} />`}
    ${!job && !error && html`<p class="busy" role="status">Loading…</p>`}
    ${job && html`
      <section aria-labelledby="state"><h2 id="state"><${State} of=${job} /></h2>
        ${!isOver(job) && html`<${Progress} label="Spoken" value=${job.percent}>${number(job.spoken)} of ${number(job.characters)} characters are spoken, ${job.percent} %.<//>`}
        ${job.error && html`<${Problem} error=${job.error} />`}
        ${job.expired && html`<p>The sound is not kept any more. Ask for the text again.</p>`}
        <${Facts} of=${[
          ["Voice", job.voice], ["Model", html`<code>${job.model}</code>`], ["Format", job.format], ["Speed", `${job.speed}×`], ["Characters", number(job.characters)],
          ["Cost", html`${money(job.cost.nanoUSD)}${job.shared && ", shared with an equal text"}`],
          ["Asked for", html`<${When} at=${job.createdAt} />`], ["Kept until", job.expiresAt && html`<${When} at=${job.expiresAt} />`],
        ]} />
      </section>
      ${job.audioUrl && html`<section aria-labelledby="sound"><h2 id="sound">Sound</h2>
        <${Player} load=${(signal) => blob(job.audioUrl, { signal })} size=${job.bytes} durationMs=${job.durationMs} name=${`speech-${id}.${job.format}`} chapters=${job.chapters} />
      </section>`}`}
    ${stopping && html`<${Cancel} path=${path} close=${() => setStopping(false)} done=${() => setTurn((n) => n + 1)} />`}`;
}

/** Cancel ends what is being spoken, once somebody has said so. */
function Cancel({ path, close, done }) {
  const cancel = async () => {
    const { state } = await del(path);
    toast(state === "cancelled" ? "It is not spoken any further." : `It had ended already: ${state}.`, state === "cancelled" ? "good" : "bad");
    done();
  };
  return html`<${Confirm} title="Cancel it?" yes="Cancel it" doing="Cancelling…" no="Go on speaking" act=${cancel} close=${close}>
    <p>What is spoken so far is paid, and thrown away.</p>
  <//>`;
}
