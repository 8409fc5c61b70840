// HTTP events: the fetch handlers of Workers and of Durable Objects.
import { instance, responseOf, running, MAX_WAIT } from "./host.mjs";
import { Task, GONE } from "./task.mjs";
import { headOf } from "./ops.mjs";

const HTTP = 0; // the kind of event, as in isolate/event_js.go

const INLINE = 64 << 10; // a body up to this size is read before Go is entered

/** serveWorker is the fetch handler of a Worker. */
export function serveWorker(request, ctx) {
  const n = request.body ? bodySize(request) : 0;
  if (n > 0 && n <= INLINE) {
    return request.arrayBuffer().then((b) => begin(request, ctx, new Uint8Array(b)), failed);
  }
  return begin(request, ctx, null);
}

function begin(request, ctx, body) {
  let inst;
  try {
    inst = instance();
  } catch (e) {
    return failed(e);
  }
  return serve(new Task(inst, 0, ctx, null), request, body);
}

/** serve answers the request as the event of a task; a body that was not read yet streams. */
export function serve(task, request, body) {
  let stream = 0;
  const head = request.method + "\n" + request.url + "\n" + (request.headers.get("content-length") ?? "") + "\n" + headOf(request);
  if (!body && request.body) stream = task.keep(request.body);
  running.run(task, first, task, head, body, stream);
  const r = task.result;
  if (r !== null) return r.value ? responseOf(r.value) : failed(r.error); // answered in the first turn
  return running.run(task, rest, task, request);
}

function first(task, head, body, stream) {
  task.inst.begin(task, HTTP, head, body, stream);
}

function rest(task, request) {
  task.limit = MAX_WAIT;
  task.wait();
  task.request = request;
  return task.answer().then((v) => {
    task.check("answer");
    return responseOf(v);
  }, failed);
}

function bodySize(request) {
  const n = request.headers.get("content-length");
  return n === null ? Infinity : Number(n);
}

function failed(e) {
  const late = e?.message === "deadline exceeded";
  return new Response((late ? "" : "internal error: ") + (e?.message ?? e) + "\n", { status: late ? 504 : 500, headers: { "content-type": "text/plain" } });
}
