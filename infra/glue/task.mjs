// A task is one inbound event: the JavaScript half of isolate.Task.

const HEARTBEAT = 500; // ms between the heartbeats of a waiting task
const MISSES = 8;      // heartbeats a task may miss, while others have theirs, before its I/O context counts as lost
const ENDING = 2;      // heartbeats that a stream may take to end after its last data
const POLL = 2;        // ms, inside blockConcurrencyWhile
const TURN = 50;       // ms that a step goes on before others have theirs
const UNREAD = 64 << 10; // bytes of a streamed response that may wait for the client

// Why a task is canceled; isolate/task_js.go has the same numbers.
export const GONE = 1, LOST = 2, DEADLINE = 3;

export class Task {
  /** extra: what operations of this kind of event need (object, batch, step). */
  constructor(inst, home, ctx, extra) {
    this.inst = inst;
    this.id = inst.nextTask++;
    this.home = home || inst.nextHome++;
    this.ctx = ctx;
    this.extra = extra;
    this.refs = 1;          // the handler, and one for each isolate.Go
    this.ended = false;
    this.waiting = false;
    this.canceled = 0;
    this.answered = false;
    this.result = null;     // the answer, if it came before anybody waited for it
    this.waiter = null;
    this.limit = 0;         // ms until the event must have an answer
    this.began = 0;
    this.misses = 0;
    this.round = -1;
    this.beat = this.poll = 0;
    this.posted = [];
    this.wake = null;
    this.aborts = null;     // operation -> how to give it up
    this.streams = null;    // handle -> ReadableStream
    this.ending = null;     // stream that has said its last word -> heartbeats since
    this.body = null;       // the response, when it streams
    this.over = null;       // resolves waitUntil
    this.failed = null;     // why the answer was broken off
    this.request = null;    // whose client may leave, until somebody watches
    this.since = 0;         // when the step has begun its turn
    this.paused = null;     // what waits for its next one
    this.probe = inst.debug ? new Response("x") : null;
    inst.tasks.set(this.id, this);
  }

  // ---- the answer
  //
  // Promises that another I/O context may settle are made by Promise.withResolvers,
  // never by `new Promise` or an async function: in code that V8 has optimised those
  // are allocated inline, without the tag that tells workerd their context, and the
  // continuation then runs in the context of whoever settles them.
  //
  // Nor may anything hang on such a promise alone. What is queued for a context after
  // its run and before workerd has renewed the context's signal waits there for the
  // next to be queued, if need be for ever (io-context.c++, startDeleteQueueSignalTask).
  // So what a task has to do is noted in it, the wake-up only tells, and the heartbeat
  // looks for itself.

  resolve(value) {
    this.answered = true;
    this.result ??= { value };
    this.attend();
  }

  reject(error) {
    this.answered = true;
    this.result ??= { error };
    this.attend();
  }

  answer() {
    this.waiter = Promise.withResolvers();
    const answer = this.waiter.promise;
    this.tend();
    return answer;
  }

  /** attend sees to what was noted: at once if the turn is in the task's own context, else by waking it. */
  attend() {
    if (!this.waiting || this.inst.task?.home === this.home) this.tend();
    else this.wake();
  }

  /** tend does, in the task's own context, what was noted: it answers, and lets go of what the end has left. */
  tend() {
    const w = this.waiter, r = this.result;
    if (w && r) {
      this.waiter = null;
      "error" in r ? w.reject(r.error) : w.resolve(r.value);
    }
    if (!this.ended || !this.over) return;
    clearInterval(this.beat);
    clearInterval(this.poll);
    this.over();
    this.over = null;
    if (this.failed) this.closeBody(this.failed);
  }

  // ---- waiting

  /** wait is called, in the task's own context, once the event is known not to be over in its first turn. */
  wait() {
    if (this.waiting || this.ended) return;
    this.check("wait");
    this.waiting = true;
    this.began = this.inst.timers.now();
    // Lets the goroutine clean up after the client has gone.
    const over = Promise.withResolvers();
    this.over = over.resolve;
    this.ctx?.waitUntil?.(over.promise);
    this.beat = setInterval(() => this.heartbeat(), HEARTBEAT);
    // The input gate of blockConcurrencyWhile holds back wake-ups from other contexts,
    // but not timers made inside.
    if (this.extra?.critical) this.poll = setInterval(() => { this.tend(); this.drain(); }, POLL);
    this.listen();
  }

  /**
   * inTurn goes on with a step: at once, or after the event loop has been all the way round. A step makes hundreds of operations one after
   * the other. Where the store is in the same process, as it is locally, each ends in a turn of the loop without waiting for
   * anything, and as long as there is one workerd looks at no socket and no clock: requests and queues would stand still
   * until the last step of an import is over.
   */
  inTurn(f) {
    if (!this.extra?.step) return f();
    if (this.paused) {
      this.paused.push(f);
      return;
    }
    const now = this.inst.timers.now();
    this.since ||= now;
    if (now - this.since < TURN) return f();
    this.paused = [f];
    setTimeout(() => {
      const { paused } = this;
      this.paused = null;
      this.since = this.inst.timers.now();
      for (const f of paused) f();
    }, 0);
  }

  listen() {
    const w = Promise.withResolvers();
    this.wake = this.inst.deaf ? () => {} : w.resolve;
    w.promise.then(() => {
      this.tend();
      if (this.ended) return;
      this.check("wake");
      this.listen();
      this.drain();
    });
  }

  /** post runs f in the task's I/O context, after the present turn. */
  post(f) {
    if (this.ended) return;
    if (!this.waiting || this.inst.task?.home === this.home) {
      queueMicrotask(f);
      return;
    }
    this.posted.push(f);
    this.wake();
  }

  drain() {
    while (this.posted.length && !this.ended) {
      const q = this.posted;
      this.posted = [];
      for (const f of q) f();
    }
  }

  /** watch makes the client's leaving cancel the task. A signal costs as much as a short answer, so most requests are
   *  over before they get one. */
  watch() {
    const signal = this.request?.signal;
    this.request = null;
    if (!signal) return;
    if (signal.aborted) this.inst.cancel(this, GONE);
    else signal.addEventListener("abort", () => this.inst.cancel(this, GONE));
  }

  heartbeat() {
    const inst = this.inst;
    this.check("heartbeat");
    this.tend();
    if (this.ended) return;
    this.watch();
    this.misses = 0;
    this.drain();
    this.endLate();
    inst.timers.check(this);
    if (this.limit && !this.answered && inst.timers.now() - this.began > this.limit) {
      this.reject(new Error("deadline exceeded"));
      inst.cancel(this, DEADLINE);
    }
    inst.sweep(this);
  }

  /** missed counts a round without a heartbeat, and tells when they are too many. */
  missed() { return this.waiting && ++this.misses > MISSES; }

  // ---- the end

  hold() {
    this.refs++;
    this.wait();
  }

  /** finish gives up one reference and returns 1 when that was the last. Go cleans up its own half then. */
  finish() {
    if (--this.refs > 0 || this.ended) return 0;
    this.close();
    return 1;
  }

  close() {
    this.ended = true;
    this.attend();
    this.inst.tasks.delete(this.id);
    if (this.streams) {
      for (const s of this.streams.values()) discard(s);
      this.streams = null;
    }
    if (!this.inst.dead) this.inst.timers.ended(this);
  }

  /** fail is called when the instance has died; it may run in any context. */
  fail(error) {
    this.ended = true;
    this.inst.tasks.delete(this.id);
    this.breakOff(error);
  }

  /** breakOff ends the answer. A body can be closed only in the task's own I/O context, if that is there. */
  breakOff(error) {
    this.failed = error;
    this.reject(error);
  }

  // ---- streams

  keep(stream) {
    const h = this.inst.nextHandle++;
    (this.streams ??= new Map()).set(h, stream);
    return h;
  }

  /** release hands a stream over to somebody else. */
  release(h) {
    const s = this.streams?.get(h);
    if (!s) throw new Error("the stream is closed");
    this.streams.delete(h);
    return s;
  }

  /** endLate gives up streams that do not end although they have said their last word. */
  endLate() {
    if (!this.ending) return;
    for (const [stream, beats] of this.ending) {
      this.ending.set(stream, beats + 1);
      if (beats < ENDING) continue;
      this.ending.delete(stream);
      discard(stream);
    }
  }

  startBody(status, headers) {
    const { readable, writable } = new IdentityTransformStream();
    const b = (this.body = { open: true, writer: writable.getWriter(), chunks: [], unread: 0, blocked: 0, taken: null, refused: null });
    b.refused = () => this.cancelBody();
    b.taken = (n) => this.takenFromBody(n);
    b.writer.closed.catch(b.refused);
    this.wait();
    this.resolve({ status, headers, body: readable });
  }

  /** writeBody gathers what one turn writes, so that many small events are one chunk. */
  writeBody(op, chunk) {
    const b = this.body;
    if (!b.open || this.canceled) return -1;
    b.unread += chunk.length;
    if (b.chunks.push(chunk) === 1) queueMicrotask(() => this.sendBody());
    if (b.unread <= UNREAD) return 1;
    b.blocked = op;
    return 0;
  }

  sendBody() {
    const b = this.body;
    if (!b.open || b.chunks.length === 0) return;
    const chunk = join(b.chunks), n = chunk.length;
    b.chunks = [];
    b.writer.write(chunk).then(() => b.taken(n), b.refused);
  }

  takenFromBody(n) {
    const b = this.body, op = b.blocked;
    b.unread -= n;
    if (op === 0 || b.unread > UNREAD) return;
    b.blocked = 0;
    this.inst.settle(this, op);
  }

  cancelBody() {
    if (!this.body.open) return;
    this.body.open = false;
    this.inst.cancel(this, GONE);
  }

  closeBody(error) {
    const b = this.body;
    if (!b?.open) return;
    if (!error) this.sendBody();
    b.open = false;
    try {
      (error ? b.writer.abort(error) : b.writer.close()).catch(() => {}); // the reader has gone
    } catch { /* so has the I/O context */ }
  }

  // ---- DEBUG=1: are we where we think we are?

  /** check counts a mismatch: a Response with a body can only be cloned in the context that made it. */
  check(where) {
    if (!this.probe) return;
    try {
      this.probe = this.probe.clone();
    } catch (e) {
      this.probe = null;
      if (String(e).includes("different request")) this.inst.mismatch(where, this);
    }
  }
}

function join(chunks) {
  if (chunks.length === 1) return chunks[0];
  let n = 0;
  for (const c of chunks) n += c.length;
  const whole = new Uint8Array(n);
  n = 0;
  for (const c of chunks) {
    whole.set(c, n);
    n += c.length;
  }
  return whole;
}

export function discard(stream) {
  (stream.reader ?? stream).cancel?.().catch(() => {});
}
