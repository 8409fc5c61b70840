// A conversation as it is on the screen: what was said, and the turn that is being told.
import { get, stream } from "../../api.js";
import { follow } from "../../follow.js";
import { signal } from "../../ui.js";

const pageSize = 200, repaint = 40; // messages, milliseconds

/**
 * Talk is one conversation. `turns` are its turns, `state` is "loading", "idle", "answering" or "resuming", `error` what stands in the way
 * of all of it. A turn is {said, steps, sources, citations, ...}; a step is a text of the model's, or a call of a tool with what came of it.
 */
export class Talk {
  turns = signal([]);
  state = signal("loading");
  error = signal(null);
  sessionId = "";
  #leave = new AbortController();
  #stop = null;
  #sent = {};

  constructor({ began, ended }) {
    Object.assign(this, { began, ended });
  }

  /** load shows what is kept of a session, and follows the turn that is running, if there is one. */
  async load(sessionId, streamId) {
    this.sessionId = sessionId;
    this.error.value = null;
    try {
      if (sessionId) this.turns.value = turnsOf(await this.#messages(sessionId));
      this.state.value = "idle";
    } catch (error) {
      if (this.#leave.signal.aborted) return;
      this.state.value = "idle";
      if (!streamId) this.error.value = error;
    }
    if (streamId) await this.follow(streamId);
  }

  async #messages(sessionId) {
    const all = [];
    for (let cursor; ;) {
      const page = await get(`/sessions/${encodeURIComponent(sessionId)}`, { query: { limit: pageSize, cursor }, signal: this.#leave.signal });
      all.push(...page.messages);
      if (!(cursor = page.cursor)) return all;
    }
  }

  /** send says something. It answers whether the turn began; why it did not is in `error`. The same again after a failure is the same turn. */
  async send(request) {
    const body = JSON.stringify({ ...request, ...(this.sessionId && { sessionId: this.sessionId }) });
    if (this.#sent.body !== body) this.#sent = { body, key: crypto.randomUUID() };
    const headers = { "idempotency-key": this.#sent.key, "content-type": "application/json" };
    const begun = await this.#tell({ said: request.message, at: new Date().toISOString(), steps: [], model: request.modelId, asked: { body, headers } });
    if (begun) this.#sent = {};
    return begun;
  }

  /** follow tells a turn that somebody has begun, from its beginning. */
  async follow(streamId) {
    const number = Number(streamId.split(".").pop());
    this.turns.value = this.turns.value.filter((turn) => turn.number !== number);
    const told = { steps: [], streamId };
    await this.#tell(told);
    if (told.left || this.error.value || this.#leave.signal.aborted) return;
    await this.load(this.sessionId); // what was said is not in the stream, and what was found is not kept
    const { sources, usage, rewritten, degraded } = told;
    this.turns.value = this.turns.value.map((turn) => (turn.number === number ? { ...turn, sources, usage, rewritten, degraded } : turn));
  }

  /** resume goes on with a turn that was left before its end. */
  resume(turn) {
    Object.assign(turn, { left: false, error: undefined });
    return this.#tell(turn);
  }

  /** stop ends the telling. The platform goes on with the turn for a while, and keeps what comes. */
  stop() {
    this.#stop?.abort();
  }

  /** close ends everything: the page is left. */
  close() {
    this.#leave.abort();
    this.stop();
  }

  /** tell shows a turn as its events come: it is asked for, or, once it has a stream, gone on with. It answers whether there was a first answer. */
  async #tell(turn) {
    const stop = (this.#stop = new AbortController());
    let begun = false;
    this.error.value = null;
    this.state.value = "answering";
    if (!this.turns.value.includes(turn)) this.turns.value = [...this.turns.value, turn];
    turn.running = true;
    this.#paint();
    const open = async (last) => {
      const answer = await (turn.streamId
        ? stream("GET", `/chat/streams/${encodeURIComponent(turn.streamId)}`, { lastEventId: last, signal: stop.signal })
        : stream("POST", "/chat", { ...turn.asked, signal: stop.signal }));
      begun = true;
      this.#place(turn, answer.response);
      return answer;
    };
    const cut = (is) => (this.state.value = is ? "resuming" : "answering");
    try {
      for await (const event of follow(open, { over: ({ event }) => event === "done" || event === "error", cut, signal: stop.signal, last: turn.last })) {
        turn.last = event.id;
        add(turn, event.event, JSON.parse(event.data));
        this.#paint();
      }
    } catch (error) {
      if (stop.signal.aborted) turn.left = true;
      else if (begun) Object.assign(turn, { left: true, error });
      else this.error.value = error;
      if (!begun) this.turns.value = this.turns.value.filter((t) => t !== turn);
    }
    turn.running = false;
    this.state.value = "idle";
    this.#paint(true);
    if (begun && !this.#leave.signal.aborted) this.ended(turn);
    return begun;
  }

  /** place notes where a turn is: the session and the stream that it can be found by again. */
  #place(turn, { headers }) {
    turn.streamId = headers.get("x-stream-id") ?? turn.streamId;
    turn.number = Number(turn.streamId?.split(".").pop());
    turn.traceId = headers.get("traceparent")?.split("-")[1];
    this.sessionId = headers.get("x-session-id") ?? this.sessionId;
    this.began(this.sessionId, turn.streamId);
  }

  #timer = null;

  /** paint shows what has come, but not for each token: that many pictures nobody sees. */
  #paint(now = false) {
    const show = () => {
      clearTimeout(this.#timer);
      this.#timer = null;
      this.turns.value = [...this.turns.value];
    };
    if (now) show();
    else this.#timer ??= setTimeout(show, repaint);
  }
}

/** add puts an event of a turn to what has come before. */
function add(turn, event, data) {
  switch (event) {
    case "token": {
      const last = turn.steps.at(-1);
      if (last && "text" in last) last.text += data.token;
      else turn.steps.push({ text: data.token });
      break;
    }
    case "tool_call":
      turn.steps.push({ call: data });
      break;
    case "tool_result": {
      const step = turn.steps.find(({ call }) => call?.id === data.id);
      if (step) step.result = data;
      else turn.steps.push({ call: data, result: data }); // of a tool that was run first
      break;
    }
    case "sources":
      Object.assign(turn, { sources: data.sources, rewritten: data.rewrittenQuery, degraded: data.degraded });
      break;
    case "citations":
      turn.citations = data.citations;
      break;
    case "safety":
      turn.safety = { ...turn.safety, ...data };
      break;
    case "usage":
      turn.usage = data;
      break;
    case "done":
      Object.assign(turn, { usage: data.usage, finish: data.finishReason, model: data.model });
      break;
    case "error":
      turn.error = { ...data, traceId: turn.traceId, hint: data.retryAfterMs ? `Try again in ${Math.ceil(data.retryAfterMs / 1000)} s.` : "Say it again, or look at the trace." };
  }
}

/** turnsOf makes turns of the messages that a session has kept. */
function turnsOf(messages) {
  const turns = new Map(), calls = new Map();
  for (const m of messages) {
    if (!turns.has(m.turn)) turns.set(m.turn, { number: m.turn, at: m.timestamp, steps: [] });
    const turn = turns.get(m.turn);
    if (m.role === "user") turn.said = m.content;
    if (m.role === "assistant") {
      if (m.content) turn.steps.push({ text: m.content });
      for (const call of m.toolCalls ?? []) {
        const step = { call };
        calls.set(call.id, step);
        turn.steps.push(step);
      }
      if (m.citations) turn.citations = m.citations;
      turn.model = m.model ?? turn.model;
      if (m.error) turn.error = { code: m.error, message: "the turn ended with an error" };
    }
    if (m.role === "tool") {
      const result = { name: m.name, content: m.content, ok: !m.content.startsWith("{\"error\"") }, step = calls.get(m.toolCallId);
      if (step) step.result = result;
      else turn.steps.push({ call: { id: m.toolCallId, name: m.name }, result });
    }
  }
  return [...turns.values()];
}
