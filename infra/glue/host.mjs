// One Go instance per isolate: the JavaScript half of levada.dev/infra/cloudflare/isolate.
import "./wasm_exec.js"; // Go's own, unmodified
import wasm from "./app.wasm";
import { env } from "cloudflare:workers";
import { AsyncLocalStorage } from "node:async_hooks";
import { Task, LOST } from "./task.mjs";
import { Timers } from "./timers.mjs";
import { decode, decodeText, encodeText, Frame } from "./wire.mjs";
import { operations, syncOperations, MANUAL } from "./ops.mjs";

// How wasm_exec.js and syscall/js write references: of values that are there from the start, the Go object is one.
const NULL_ID = 2, GO_ID = 6, NAN = 0x7ff80000, NAN_OBJECT = NAN | 1;

/** How long an HTTP request or a call of an object may stay without an answer. */
export const MAX_WAIT = Number(env.MAX_WAIT_MS ?? 100_000);

/** stats are kept across instances. Operations are counted by name. */
export const stats = { instances: 0, deaths: [], mismatches: {}, lostTasks: 0, rowsWritten: 0, operations: {} };

/** The current task for callbacks that foreign syscall/js code has given away. */
export const running = new AsyncLocalStorage();

const frame = new Frame();

let current = null;
let generation = 0;

/** instance returns the isolate's Go instance; the first event makes it, and the first after its death. */
export function instance() {
  current?.verify();
  return current ?? new Instance();
}

/** tables tells the size of everything that could leak, and what was done so far. Memory never shrinks while an instance lives. */
export function tables() {
  const i = current;
  return {
    ...stats,
    ...(i && {
      tasks: i.tasks.size,
      handles: i.handles.size,
      timers: i.timers.pending.size,
      lostTimers: i.timers.lost,
      values: i.go._values.length - i.go._idPool.length,
      streams: [...i.tasks.values()].reduce((n, t) => n + (t.streams?.size ?? 0), 0),
      memory: i.exports.mem.buffer.byteLength,
    }),
  };
}

class Instance {
  constructor() {
    this.generation = ++generation;
    stats.instances++;
    this.debug = env.DEBUG === "1"; // check on every turn that we are in the I/O context we think we are in
    this.deaf = env.DEAF === "1";   // no wake-up arrives; for tests
    this.dead = null;
    this.depth = 0;    // turns on the stack
    this.task = null;  // whose context we are in
    this.home = 0;     // what Go sees of it
    this.tasks = new Map();
    this.nextTask = this.nextHome = this.nextHandle = 1;
    this.handles = new Map();
    this.timers = new Timers(this);
    this.length = 0;
    this.inbox = this.inboxSize = 0;
    this.headers = new Map();
    this.names = [];
    this.round = 0;
    this.transaction = null; // the one whose turn is running, see sql.mjs
    this.fence = false;      // nobody is at home
    this.wrote = false;      // the turn has run a statement of its object
    this.buffer = null;
    this.go = new Go();
    this.patch();
    globalThis.__isolate = {
      env,
      tables,
      then: (value, task, op) => this.then(value, task, op),
      takeValue: (op) => this.take(-op),
    };
    const self = this;
    globalThis.context = { env, binding: {}, get ctx() { return self.task?.ctx; } }; // github.com/syumai/workers reads this
    this.module = new WebAssembly.Instance(wasm, {
      ...this.go.importObject,
      workers: { ready() {} }, // its import
      isolate: this.imports(),
    });
    this.exports = this.module.exports;
    current = this;
    try {
      this.go.run(this.module).catch?.(() => {});
    } catch (e) {
      this.die(e);
    }
    if (this.dead) throw this.dead;
  }

  /** patch replaces what wasm_exec.js does about time, exit and callbacks. */
  patch() {
    const go = this.go, js = go.importObject.gojs, timers = this.timers;
    go._resolveExitPromise = () => {};
    go.exit = (code) => this.die(new Error("the Go program exited with code " + code));
    js["runtime.scheduleTimeoutEvent"] = (sp) => {
      sp >>>= 0;
      const ms = go.mem.getUint32(sp + 8, true) + go.mem.getInt32(sp + 12, true) * 4294967296;
      go.mem.setInt32(sp + 16, timers.schedule(ms), true);
    };
    js["runtime.walltime"] = (sp) => { // wasm_exec.js makes a Date for each
      sp >>>= 0;
      const ms = timers.today(), s = Math.floor(ms / 1000);
      go.mem.setUint32(sp + 8, s, true);
      go.mem.setUint32(sp + 12, Math.floor(s / 4294967296), true);
      go.mem.setInt32(sp + 16, (ms - s * 1000) * 1e6, true);
    };
    const valueGet = js["syscall/js.valueGet"];
    js["syscall/js.valueGet"] = (sp) => {
      sp >>>= 0;
      // Every turn begins with jsGo.Get("_pendingEvent"), the only property of it that Go reads, and it is nearly always null.
      if (go._pendingEvent === null && go.mem.getUint32(sp + 8, true) === GO_ID && go.mem.getUint32(sp + 12, true) === NAN_OBJECT) {
        go.mem.setUint32(sp + 32, NULL_ID, true);
        go.mem.setUint32(sp + 36, NAN, true);
        return;
      }
      valueGet(sp);
    };
    js["runtime.clearTimeoutEvent"] = (sp) => timers.clear(go.mem.getInt32((sp >>> 0) + 8, true));
    js["runtime.nanotime1"] = (sp) => {
      sp >>>= 0;
      const ns = timers.now() * 1e6;
      go.mem.setUint32(sp + 8, ns, true);
      go.mem.setUint32(sp + 12, Math.floor(ns / 4294967296), true);
    };
    const inst = this;
    go._makeFuncWrapper = (id) => function () {
      const event = { id, this: this, args: arguments };
      const task = inst.depth ? inst.task : running.getStore();
      inst.enter(task?.inst === inst && !task.ended ? task : null, () => { go._pendingEvent = event; }, "callback");
      return event.result;
    };
  }

  imports() {
    const task = (id) => this.tasks.get(id);
    const text = (p, n) => decodeText(this.memory(), p, n);
    const bytes = (p, n) => (n ? this.memory().slice(p, p + n) : null);
    return {
      current: () => this.home,
      log: (p, n) => console.log(text(p, n)),
      inbox: (p, n) => { this.inbox = p; this.inboxSize = n; },
      operation: (p, n) => {
        const name = text(p, n), f = operations[name] ?? syncOperations[name];
        stats.operations[name] ??= 0;
        return f ? this.names.push({ f, name }) - 1 : -1;
      },
      hop: (id, op) => { const t = task(id); t?.post(() => this.settle(t, op)); },
      take: (h, p, n) => { const v = this.take(h); if (n) this.memory().set(v, p); },
      call: (id, op, name, p, n) => this.call(task(id), op, this.operation(name), p, n),
      callsync: (id, name, p, n, dst, size) => this.callSync(task(id), this.operation(name), p, n, dst, size),
      length: () => this.length,
      abort: (id, op) => {
        const t = task(id), abort = t?.aborts?.get(op);
        if (abort) t.post(() => { t.aborts?.delete(op); abort(); });
      },
      respond: (id, status, header, hp, hn, bp, bn) => {
        const t = task(id);
        if (!t) return 1;
        t.resolve({ status, headers: this.header(header, hp, hn), body: bytes(bp, bn) });
        return t.finish();
      },
      streamstart: (id, status, hp, hn) => task(id)?.startBody(status, this.header(0, hp, hn)),
      streamwrite: (id, op, p, n) => task(id)?.writeBody(op, bytes(p, n)) ?? -1,
      streamclose: (id, p, n) => {
        const t = task(id);
        if (!t) return 1;
        t.closeBody(n ? new Error(text(p, n)) : null);
        return t.finish();
      },
      done: (id, code, p, n) => {
        const t = task(id);
        if (!t) return 1;
        t.resolve({ code, values: this.decode(p, n) });
        return t.finish();
      },
      hold: (id) => task(id)?.hold(),
      release: (id) => task(id)?.finish() ?? 1,
    };
  }

  // ---- memory

  memory() {
    const b = this.exports.mem.buffer;
    if (b !== this.buffer) {
      this.buffer = b;
      this.u8 = new Uint8Array(b);
      this.view = new DataView(b);
    }
    return this.u8;
  }

  decode(p, n) {
    const u8 = this.memory();
    return decode(u8, this.view, p, n);
  }

  put(v) {
    const h = this.nextHandle++;
    this.handles.set(h, v);
    return h;
  }

  take(h) {
    const v = this.handles.get(h);
    this.handles.delete(h);
    return v;
  }

  /** operation returns one by the number that Go has been given, and counts it. */
  operation(number) {
    const { f, name } = this.names[number];
    stats.operations[name]++;
    return f;
  }

  /** header returns a block of lines, or the Headers of one that recurs: Go numbers those. */
  header(id, p, n) {
    if (id && !n) return this.headers.get(id);
    if (!n) return undefined;
    const block = decodeText(this.memory(), p, n);
    if (!id) return block;
    const h = headersOf(block);
    this.headers.set(id, h);
    return h;
  }

  // ---- turns

  /** verify is called with no Go frame on the stack. A turn that was never left means that JavaScript
   *  was terminated inside Go (CPU limit, abort of an object): Go's state is garbage. */
  verify() {
    if (this.depth > 0 && !this.dead) this.die(new Error("terminated in the middle of Go code"));
  }

  /** turn lets Go run, after f, in the I/O context of the task: everything runnable runs. */
  turn(task, f, why) {
    if (this.dead) return;
    if (this.depth > 0) { // called from an import; Go must not be re-entered
      queueMicrotask(() => {
        this.verify();
        this.turn(task?.ended ? null : task, f, why);
      });
      return;
    }
    this.enter(task, f, why);
  }

  enter(task, f, why) {
    if (this.dead) return;
    if (this.debug) task?.check(why);
    const outer = this.task, outerHome = this.home;
    this.task = task;
    this.home = this.fence ? -1 : task ? task.home : 0;
    if (this.depth === 0) {
      this.wrote = false;
      this.timers.tick();
    }
    this.depth++;
    try {
      f();
      this.go._resume();
    } catch (e) {
      this.die(e);
    } finally {
      this.timers.drop();
      this.task = outer;
      this.home = outerHome;
      this.depth--;
    }
  }

  // ---- operations

  call(task, op, f, p, n) {
    if (!task) return;
    const args = this.decode(p, n);
    task.wait();
    let promise;
    try {
      promise = f(task, args, op);
    } catch (e) {
      promise = Promise.reject(e);
    }
    if (promise === MANUAL) return;
    if (!(promise instanceof Promise)) promise = Promise.resolve(promise); // an RpcPromise, a value
    const settle = (v, code) => task.inTurn(() => { task.aborts?.delete(op); this.settle(task, op, v, code); });
    promise.then((v) => settle(v, 0), (e) => settle(e, 1));
  }

  callSync(task, f, p, n, dst, size) {
    if (!task) return 0;
    frame.reset().room(1);
    frame.u8[frame.n++] = 0;
    try {
      f(task, this.decode(p, n), frame);
    } catch (e) {
      frame.reset();
      frame.u8[frame.n++] = 1;
      addError(frame, e);
    }
    const out = frame.done();
    if (out.length <= size) {
      this.memory().set(out, dst);
      return out.length;
    }
    this.length = out.length;
    return -this.put(out.slice());
  }

  /** settle ends an operation with a value: nothing, bytes as they are, EOF, or an array, the values of a frame. */
  settle(task, op, value, code = 0) {
    if (task.ended || this.dead) return;
    this.turn(task, () => {
      let data = null;
      if (code) data = addError(frame.reset(), value).done();
      else if (value === EOF) code = 3;
      else if (value instanceof Uint8Array) data = value;
      else if (value !== undefined) data = addAll(frame.reset(), value).done();
      const n = data ? data.length : 0, h = n > this.inboxSize ? this.put(data.slice()) : 0;
      if (n && !h) this.memory().set(data, this.inbox);
      this.exports.isolate_settle(op, code, n, h);
    }, "settle");
  }

  /** then is isolate.Await: the value stays here, under the operation's number. */
  then(value, id, op) {
    const task = this.tasks.get(id);
    task.wait();
    Promise.resolve(value).then(
      (v) => {
        if (task.ended) return;
        this.handles.set(-op, v);
        this.settle(task, op);
        this.handles.delete(-op); // given up, if Go has not taken it in that turn
      },
      (e) => this.settle(task, op, e, 1),
    );
  }

  // ---- events

  /** begin starts an event; head and body lie in the inbox or, when they do not fit, behind a handle. */
  begin(task, kind, head, body, stream) {
    this.turn(task, () => {
      let n, h = 0, headSize;
      if (typeof head === "string" && head.length * 3 + (body?.length ?? 0) <= this.inboxSize) {
        const u8 = this.memory();
        n = headSize = encodeText(head, u8, this.inbox);
        if (body) { u8.set(body, this.inbox + n); n += body.length; }
      } else {
        if (typeof head === "string") head = new TextEncoder().encode(head);
        headSize = head.length;
        n = headSize + (body?.length ?? 0);
        const fits = n <= this.inboxSize, all = fits ? this.memory().subarray(this.inbox, this.inbox + n) : new Uint8Array(n);
        all.set(head);
        if (body) all.set(body, headSize);
        if (!fits) h = this.put(all);
      }
      this.exports.isolate_begin(task.id, task.home, kind, n, h, headSize, stream);
    }, "begin");
  }

  cancel(task, why) {
    if (task.ended || this.dead) return;
    task.canceled = why;
    if (why === LOST) {
      stats.lostTasks++;
      task.breakOff(new Error("the I/O context is lost"));
      task.close();
    }
    // In the context of whoever noticed: what Go has to do in the task's own context, it hops to.
    this.turn(null, () => this.exports.isolate_cancel(task.id, why), "cancel");
  }

  /** sweep finds tasks whose heartbeat has stopped without a word. A round is over when somebody's heart beats for the
   *  second time in it, so that hearts which all beat slowly, because the isolate has too much to do, are not missed. */
  sweep(from) {
    if (from.round === this.round) {
      this.round++;
      for (const t of this.tasks.values()) if (t !== from && t.missed()) this.cancel(t, LOST);
    }
    from.round = this.round;
  }

  /** lose ends all events of a home whose I/O context is known to have gone. */
  lose(home) {
    for (const t of [...this.tasks.values()]) if (t.home === home) this.cancel(t, LOST);
  }

  /** drop forgets the Go half of an object. */
  drop(home) { this.turn(null, () => this.exports.isolate_drop?.(home), "drop"); }

  die(error) {
    if (this.dead) return;
    this.dead = error;
    if (current === this) current = null;
    if (stats.deaths.push(String(error)) > 100) stats.deaths.shift();
    console.error("Go instance", this.generation, "died:", error?.stack ?? error);
    const died = new Died(error), object = this.wrote ? this.task?.extra?.object : null;
    for (const t of [...this.tasks.values()]) t.fail(died);
    if (object) queueMicrotask(() => object.undo(died)); // it ends JavaScript, so not here
  }

  mismatch(where, task) {
    stats.mismatches[where] = (stats.mismatches[where] ?? 0) + 1;
    console.error("wrong I/O context in", where, "of task", task.id);
  }
}

/** Died is what events of a dead instance fail with. */
export class Died extends Error {
  constructor(cause) {
    super("the Go instance died: " + (cause?.message ?? cause));
  }
}

/** EOF is the value of a read at the end of a stream. */
export const EOF = Symbol("EOF");

/** responseOf makes the Response of an answer. Lines are added to its own headers: Headers made for it would be copied. */
export function responseOf({ status, headers, body }) {
  if (typeof headers !== "string") return new Response(body, { status, headers });
  const r = new Response(body, { status });
  addLines(r.headers, headers);
  return r;
}

/** headersOf reads lines of name, NUL, value. */
export function headersOf(block) {
  const h = new Headers();
  addLines(h, block);
  return h;
}

function addLines(h, block) {
  for (let i = 0; i < block.length;) {
    const k = block.indexOf("\0", i), e = block.indexOf("\n", k);
    h.append(block.slice(i, k), block.slice(k + 1, e));
    i = e + 1;
  }
}

function addAll(frame, values) {
  for (const v of values) frame.add(v);
  return frame;
}

function addError(frame, e) {
  const props = e !== null && typeof e === "object" ? { ...e } : null;
  frame.add(String(e?.name ?? "Error")).add(String(e?.message ?? e));
  try {
    frame.json(props);
  } catch {
    frame.add(null);
  }
  return frame;
}

/** runEvent runs a named event and returns its answer { code, values }. */
export function runEvent(task, values) {
  const f = addAll(frame.reset(), values).done();
  const head = task.inst.depth ? f.slice() : f; // if Go is busy, the turn starts later
  return running.run(task, () => {
    task.inst.begin(task, 1, head, null, 0);
    if (task.result && !task.waiter) return answerNow(task.result);
    task.wait();
    return task.answer();
  });
}

function answerNow(r) {
  return "error" in r ? Promise.reject(r.error) : Promise.resolve(r.value);
}
