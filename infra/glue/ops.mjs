// The operations that Go can ask for, by name. An operation gets the task, the
// arguments and its own number, and runs in the task's I/O context. It returns (a promise of)
// nothing, bytes, or an array: the values of the frame that Go reads. A synchronous one
// writes its values to the frame it is given.
import { env } from "cloudflare:workers";
import { EOF, headersOf } from "./host.mjs";
import { discard } from "./task.mjs";

const INLINE = 64 << 10; // a response body of at most this size comes with the head

const PIECE = 16 << 10;  // bytes that are read from a stream at once, if it has them

/** MANUAL is returned by an operation that settles itself. */
export const MANUAL = Symbol("manual");

export function binding(name) {
  const b = env[name];
  if (b === undefined) throw new Error(`the Worker has no binding ${name}`);
  return b;
}

/** abortable makes an operation stop when Go gives it up. */
export function abortable(task, op) {
  const c = new AbortController();
  (task.aborts ??= new Map()).set(op, () => c.abort());
  return c.signal;
}

/** responseValues is what isolate.ReadResponse reads. */
export async function responseValues(task, r, head = headOf(r)) {
  if (!r.body) return [r.status, head, 0, null];
  const length = r.headers.get("content-length"), n = length === null ? -1 : Number(length);
  if (n >= 0 && n <= INLINE) {
    const body = new Uint8Array(await r.arrayBuffer());
    return [r.status, head, body.length, body];
  }
  return [r.status, head, n, task.keep(r.body)];
}

/** headOf is the headers as lines of name, NUL, value. */
export function headOf(r) {
  let head = "";
  for (const [k, v] of [...r.headers]) head += k + "\0" + v + "\n"; // an array is walked in a third of the time
  return head;
}

export const operations = {
  async fetch(task, [name, object, method, url, head, body, stream], op) {
    const target = name === "" ? globalThis : object === "" ? binding(name) : binding(name).getByName(object);
    const init = { method, headers: headersOf(head), redirect: "manual", signal: abortable(task, op) };
    if (stream) init.body = task.release(stream);
    else if (body !== null) init.body = body;
    return responseValues(task, await target.fetch(url, init));
  },

  // ---- streams that Go reads

  "stream.read"(task, [h]) {
    const s = task.streams?.get(h);
    if (!s) throw new Error("the stream is closed");
    return read(s).then(({ done, value }) => {
      if (done) {
        task.streams?.delete(h);
        return EOF;
      }
      return value;
    });
  },

  // ---- streams that Go writes

  async "pipe.open"(task, [size]) {
    const { readable, writable } = size >= 0 ? new FixedLengthStream(size) : new IdentityTransformStream();
    const h = task.keep(readable);
    (task.writers ??= new Map()).set(h, writable.getWriter());
    return [h];
  },
  "pipe.write": (task, [h, chunk]) => writer(task, h).write(chunk),
  async "pipe.close"(task, [h]) {
    const w = writer(task, h);
    task.writers.delete(h);
    await w.close();
  },
  async "pipe.abort"(task, [h, reason]) {
    const w = task.writers?.get(h);
    task.writers?.delete(h);
    await w?.abort(new Error(reason));
  },
};

export const syncOperations = {
  "stream.cancel"(task, [h]) {
    const s = task.streams?.get(h);
    if (!s) return;
    task.streams.delete(h);
    discard(s);
  },

  // The reader knows that the data is over; the stream still has to find out.
  "stream.end"(task, [h]) {
    const s = task.streams?.get(h);
    if (!s) return;
    task.streams.delete(h);
    const ending = (task.ending ??= new Map()).set(s, 0);
    read(s).then(({ done }) => { if (ending.delete(s) && !done) discard(s); }, () => ending.delete(s));
  },
};

/** read reads what a stream has, of the platform's own streams into the same memory again and again: whoever gets a value has
 *  copied it before the next read. */
export function read(s) {
  if (!s.reader) {
    try {
      s.reader = s.getReader({ mode: "byob" });
      s.bytes = true;
    } catch { // a stream that JavaScript made
      s.reader = s.getReader();
    }
  }
  if (!s.bytes) return s.reader.read();
  const memory = s.memory ?? spare.pop() ?? new ArrayBuffer(PIECE);
  s.memory = null; // it is the reader's now
  return s.reader.read(new Uint8Array(memory)).then((r) => {
    if (!r.done) s.memory = r.value.buffer;
    else if (r.value && spare.length < SPARE) spare.push(r.value.buffer); // of a stream that has ended
    return r;
  });
}

const SPARE = 32, spare = []; // memory for reading, of streams that have ended

function writer(task, h) {
  const w = task.writers?.get(h);
  if (!w) throw new Error("the stream is closed");
  return w;
}
