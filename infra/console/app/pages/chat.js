import { html, useEffect, useLayoutEffect, useRef, useState } from "../ui.js";
import { del, get } from "../api.js";
import { go, href } from "../router.js";
import { announce } from "../parts/announce.js";
import { usePages } from "../parts/ask.js";
import { Confirm } from "../parts/confirm.js";
import { Empty } from "../parts/empty.js";
import { toFault } from "../parts/field.js";
import { When, plural } from "../parts/format.js";
import { More } from "../parts/more.js";
import { Problem } from "../parts/problem.js";
import { Stop } from "../parts/stop.js";
import { Title } from "../parts/title.js";
import { toast } from "../parts/toast.js";
import { Settings, requestOf, unset } from "./chat/settings.js";
import { Talk } from "./chat/talk.js";
import { Turn } from "./chat/turn.js";

/** Chat is the tenant's conversations, and the one that is open. */
export default function Chat({ rest: [id = ""], query }) {
  const [changed, setChanged] = useState(0);
  const at = id || `new ${query.new ?? ""}`;
  const open = useRef({ at, key: 0 }); // a new conversation gets its id while it is on the screen, and stays there
  if (open.current.at !== at) open.current = { at, key: open.current.key + 1 };
  const adopt = (sessionId, stream) => {
    if (open.current.at.startsWith("new ")) open.current.at = sessionId;
    if (open.current.at === sessionId) go("chat", [sessionId], { stream }, { replace: true });
  };
  const page = useRef(null);
  useEffect(() => {
    if (open.current.key) page.current.querySelector(id ? ".talk" : query.new ? "#message" : ".side").focus();
  }, [open.current.key]);
  return html`
    <div class="head"><${Title}>Chat<//><a class="button" href=${href("chat", [], { new: 1 })}>New conversation</a></div>
    <div class=${`split ${id || query.new ? "opened" : ""}`} ref=${page}>
      <${Sessions} open=${id} changed=${changed} />
      <${Conversation} key=${open.current.key} id=${id} streamId=${query.stream} adopt=${adopt} ended=${() => setChanged((n) => n + 1)} />
    </div>`;
}

/** Sessions is the list, the most recently used first. */
function Sessions({ open, changed }) {
  const list = usePages(async (signal, cursor) => {
    const { sessions, cursor: next } = await get("/sessions", { query: { limit: 30, cursor }, signal });
    return { rows: sessions, next };
  }, [changed]);
  const { rows: sessions, error, again } = list;
  return html`<nav class="side" aria-label="Conversations" tabindex="-1">
    ${error && html`<${Problem} error=${error} again=${again} />`}
    ${!sessions && !error && html`<p class="busy" role="status">Loading…</p>`}
    ${sessions?.length === 0 && html`<${Empty} title="No conversations yet." />`}
    ${sessions?.length > 0 && html`<ul class="rows">${sessions.map((s) => html`<li key=${s.sessionId}><a href=${href("chat", [s.sessionId])} aria-current=${s.sessionId === open ? "true" : undefined}>
      <span class="title">${s.title || "Untitled"}</span>
      <span class="small"><${When} at=${s.updatedAt} /> · ${plural(s.turns, "turn")}${s.userId && ` · ${s.userId}`}</span></a></li>`)}</ul>`}
    <${More} list=${list} />
  </nav>`;
}

function Conversation({ id, streamId, adopt, ended }) {
  const [talk] = useState(() => new Talk({
    began: (sessionId, stream) => adopt(sessionId, stream),
    ended: (turn) => {
      adopt(talk.sessionId, turn.left ? turn.streamId : undefined);
      announce(turn.error ? `The turn failed: ${turn.error.message}` : turn.left ? "Stopped." : spoken(turn));
      ended();
    },
  }));
  const [asked, setAsked] = useState(false); // whether to delete it
  useEffect(() => {
    talk.load(id, streamId);
    return () => talk.close();
  }, []);
  const turns = talk.turns.value, state = talk.state.value, error = talk.error.value;
  const foot = useRef(null);
  useEnd(turns, foot);
  return html`<div class="talk" role="group" aria-label="Conversation" tabindex="-1">
    <div class="head"><a class="back" href=${href("chat")}>All conversations</a>
      <h2>${turns[0]?.said ?? (talk.sessionId ? "Conversation" : "New conversation")}</h2>
      ${talk.sessionId && html`<button type="button" class="quiet danger" onClick=${() => setAsked(true)}>Delete</button>`}</div>
    ${state === "loading" && html`<p class="busy" role="status">Loading the conversation…</p>`}
    ${state === "idle" && turns.length === 0 && !error && html`<${Empty} title="Ask something.">Answers rest on the tenant's documents, and say on which.<//>`}
    ${turns.map((turn, i) => html`<${Turn} key=${turn.number ?? `new-${i}`} turn=${turn} state=${state} resume=${() => talk.resume(turn)} />`)}
    ${error && html`<${Problem} error=${error} />${error.details?.streamId && html`<p><button type="button" onClick=${() => talk.follow(error.details.streamId)}>Show the answer that is under way</button></p>`}`}
    <${Composer} talk=${talk} busy=${state === "answering" || state === "resuming"} error=${error} />
    <div ref=${foot}></div>
    ${asked && html`<${Forget} id=${talk.sessionId} close=${() => setAsked(false)} done=${() => { talk.close(); ended(); go("chat"); }} />`}
  </div>`;
}

/** spoken is an answer as it is announced: all of it where it is short. */
function spoken(turn) {
  const text = turn.steps.map((step) => step.text ?? "").join(" ").trim();
  return text.length <= 400 ? `Answer: ${text}` : `The answer is there. It has ${plural(text.split(/\s+/).length, "word")}.`;
}

/** useEnd keeps the end in sight for whoever has it in sight. */
function useEnd(turns, foot) {
  const near = useRef(true);
  useEffect(() => {
    const look = () => (near.current = innerHeight + scrollY > document.documentElement.scrollHeight - 160);
    addEventListener("scroll", look, { passive: true });
    return () => removeEventListener("scroll", look);
  }, []);
  useLayoutEffect(() => { if (near.current && turns.length) foot.current.scrollIntoView({ block: "end" }); }, [turns]);
}

function Composer({ talk, busy, error }) {
  const [text, setText] = useState("");
  const [settings, setSettings] = useState(unset);
  const [wrong, setWrong] = useState();
  const [more, setMore] = useState(false);
  const box = useRef(null), place = useRef(null);
  const send = async (event) => {
    event.preventDefault();
    if (busy || !text.trim()) return;
    const { request, error: wrong } = requestOf(settings);
    setWrong(wrong);
    if (wrong) {
      setMore(true);
      return toFault(place);
    }
    setText("");
    box.current.focus(); // the button is of no use for now
    if (await talk.send({ message: text, ...request })) return;
    setText((typed) => typed || text); // it was not taken: nothing is lost
    if (talk.error.value?.field && talk.error.value.field !== "message") {
      setMore(true);
      toFault(place);
    }
  };
  const key = (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) send(event);
    if (event.key === "Escape" && busy) talk.stop();
  };
  return html`<form class="composer" ref=${place} onSubmit=${send}>
    <label class="hidden" for="message">Message</label>
    <textarea id="message" ref=${box} rows="2" placeholder="Ask something. Enter sends it, Shift+Enter begins a line." value=${text} aria-invalid=${error?.field === "message" ? "true" : undefined} onInput=${(e) => setText(e.target.value)} onKeyDown=${key}></textarea>
    <div class="controls">
      <label class="check"><input type="checkbox" checked=${settings.grounded} aria-label="Documents: answer from them" onChange=${(e) => setSettings({ ...settings, grounded: e.target.checked })} /> Documents</label>
      <button type="button" aria-expanded=${more} aria-controls="settings" onClick=${() => setMore(!more)}>Settings</button>
      <span class="end">${busy && html`<${Stop} stop=${() => talk.stop()} back=${box} />`}<button class="primary" disabled=${busy || !text.trim()}>Send</button></span>
    </div>
    <div id="settings" hidden=${!more}>${more && html`<${Settings} value=${settings} change=${setSettings} error=${error} wrong=${wrong} />`}</div>
  </form>`;
}

/** Forget deletes a conversation, once somebody has said so. */
function Forget({ id, close, done }) {
  const forget = async () => {
    await del(`/sessions/${encodeURIComponent(id)}`);
    toast("The conversation was deleted.");
    done();
  };
  return html`<${Confirm} title="Delete this conversation?" yes="Delete" doing="Deleting…" no="Keep it" act=${forget} close=${close}>
    <p>All that is kept of it is removed, and an answer that is under way ends. This cannot be undone.</p>
  <//>`;
}
