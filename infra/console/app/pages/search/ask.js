// A search as it is made: what is asked, and what has come of it so far.
import { ApiError, send } from "../../api.js";
import { readEvents } from "../../sse.js";
import { readObject } from "../../parts/json-field.js";

const repaint = 40; // milliseconds

/** unset is how the form begins. */
export const unset = { query: "", mode: "hybrid", answer: "stream", topK: "", filter: "", rerank: false, expand: "0", keepDuplicates: false, fresh: false };

/** requestOf is the body for a form: {request}, or {error} of the field `filter`. */
export function requestOf(form) {
  const filter = readObject(form.filter);
  if (filter.error) return { error: filter.error };
  return { request: {
    query: form.query, mode: form.mode, answer: form.answer !== "none",
    ...(form.answer === "stream" && { stream: true }), ...(form.topK && { topK: Number(form.topK) }), ...(filter.value && { filter: filter.value }),
    ...(form.rerank && { rerank: true }), ...(form.expand !== "0" && { expand: Number(form.expand) }), ...(form.keepDuplicates && { keepDuplicates: true }),
  } };
}

/** search asks, and calls `show` with all that has come whenever there is more. What goes wrong is `error` of that. */
export async function search(request, { fresh, signal, show }) {
  const began = performance.now();
  let result = { question: request.query, busy: true };
  let timer = null;
  const paint = () => {
    clearTimeout(timer);
    timer = null;
    if (!signal.aborted) show(result);
  };
  show(result);
  try {
    const response = await send("POST", "/search", { body: request, signal, headers: { accept: request.stream ? "text/event-stream" : "application/json", ...(fresh && { "cache-control": "no-cache" }) } });
    const stages = stagesOf(response.headers.get("server-timing") ?? "");
    result = { ...result, stages, cached: stages.some((s) => s.name === "cache" && s.said === "hit"), traceId: response.headers.get("traceparent")?.split("-")[1] };
    if (!request.stream) Object.assign(result, found((await response.json()).data));
    else for await (const event of readEvents(response)) {
      add(result, event.event, JSON.parse(event.data));
      if (result.over) break;
      timer ??= setTimeout(paint, repaint);
    }
    if (request.stream && !result.over) throw new ApiError({ code: "connection_lost", message: "the answer broke off", traceId: result.traceId, details: { hint: "ask again: a search cannot be gone on with" } });
  } catch (error) {
    if (signal.aborted) result.stopped = true;
    else result.error = error;
  }
  result = { ...result, busy: false, tookMs: performance.now() - began };
  clearTimeout(timer);
  show(result);
  return result;
}

const found = ({ answer, rewrittenQuery, ...rest }) => ({ ...rest, text: answer ?? undefined, rewritten: rewrittenQuery });

function add(result, event, data) {
  switch (event) {
    case "sources":
      Object.assign(result, { sources: data.sources, degraded: data.degraded, rewritten: data.rewrittenQuery });
      break;
    case "token":
      result.text = (result.text ?? "") + data.token;
      break;
    case "citations":
      result.citations = data.citations;
      break;
    case "safety":
      result.safety = { ...result.safety, ...data };
      break;
    case "done":
      Object.assign(result, found(data), { over: true }); // it stands above the tokens
      break;
    case "error":
      Object.assign(result, { over: true, error: { ...data, traceId: result.traceId, hint: "Ask again, or look at the trace." } });
  }
}

/** stagesOf reads Server-Timing: https://www.w3.org/TR/server-timing/ */
function stagesOf(header) {
  return header.split(",").filter((part) => part.trim()).map((part) => {
    const [name, ...more] = part.trim().split(";");
    const given = Object.fromEntries(more.map((m) => m.split("=")));
    return { name, said: given.desc, ms: given.dur === undefined ? undefined : Number(given.dur) };
  });
}
