// Durable Object classes whose methods are in Go.
import { DurableObject } from "cloudflare:workers";
import { instance, runEvent, Died, MAX_WAIT } from "./host.mjs";
import { serve } from "./http.mjs";
import { operations, binding, MANUAL } from "./ops.mjs";
import { Task } from "./task.mjs";
import "./sql.mjs";

// Go keeps the object by the number of its home; it is dropped when the class instance is collected.
const evicted = new FinalizationRegistry(({ inst, home }) => inst.deref()?.drop(home));

/** object returns the class of a Durable Object that Go registered under the name. */
export function object(name) {
  return class extends DurableObject {
    constructor(ctx, env) {
      super(ctx, env);
      this.inst = null;
      this.home = 0;
      this.making = null;
      ctx.blockConcurrencyWhile(() => this.go() ?? Promise.resolve());
    }

    /** go makes the Go half if there is none: at first use, and again after the instance died. */
    go() {
      const inst = instance();
      if (this.inst === inst) return this.making;
      this.inst = inst;
      this.home = inst.nextHome++;
      evicted.register(this, { inst: new WeakRef(inst), home: this.home });
      const task = this.task({ critical: true });
      return (this.making = runEvent(task, ["object.new", name, this.ctx.id.toString(), this.ctx.id.name ?? ""]).then(
        ({ code, values }) => {
          if (code) throw new Error(values[0]);
          if (this.inst === inst) this.making = null;
        },
      ).catch((e) => {
        if (this.inst === inst) this.inst = this.making = null;
        throw e;
      }));
    }

    /** undo is called when the Go instance died in a turn that had written: what it wrote must not become durable. */
    undo(error) { this.ctx.abort(error.message); }

    task(extra) { return new Task(this.inst, this.home, this.ctx, { object: this, ...extra }); }

    /** call is the one RPC method. Errors are data: { error: [text, json?] } from the object, { died } from the runtime. */
    async call(method, body) {
      try {
        const making = this.go();
        if (making) await making;
        const task = this.task();
        task.limit = MAX_WAIT;
        const { code, values } = await runEvent(task, ["object.call", method, body]);
        return code ? { error: values } : values[0];
      } catch (e) {
        if (e instanceof Died) return { died: e.message };
        throw e;
      }
    }

    async fetch(request) {
      const making = this.go();
      if (making) await making;
      return serve(this.task(), request, null);
    }

    async alarm(info) {
      const making = this.go();
      if (making) await making;
      const { code, values } = await runEvent(this.task(), ["object.alarm", info?.retryCount ?? 0]);
      if (code) throw new Error(values[0]); // the platform retries
    }
  };
}

const storage = (task) => state(task).storage;

function state(task) {
  const o = task.extra?.object;
  if (!o) throw new Error("the event is not one of a Durable Object");
  return o.ctx;
}

Object.assign(operations, {
  async "object.call"(task, [ns, name, method, body]) {
    const r = await binding(ns).getByName(name).call(method, body);
    if (r === null || r === undefined) return [0, null];
    if (r instanceof Uint8Array) return [0, r];
    return r.died === undefined ? [1, ...r.error] : [2, r.died];
  },

  "alarm.set": (task, [ms]) => storage(task).setAlarm(ms),
  "alarm.get": async (task) => [await storage(task).getAlarm()],
  "alarm.delete": (task) => storage(task).deleteAlarm(),
  "storage.deleteall": (task) => storage(task).deleteAll(),

  // The callback is an event of its own, so it must not start with Go on the stack. Its error is
  // data, because a rejected blockConcurrencyWhile resets the object.
  "object.block": (task, [callback]) => Promise.resolve().then(() => {
    const o = task.extra.object;
    return state(task).blockConcurrencyWhile(async () => {
      const { code, values } = await runEvent(o.task({ critical: true }), [callback]);
      return [code, values[0] ?? null];
    });
  }),

  /** abort resets the object. It ends JavaScript on the spot, so it must not happen with Go on the stack. */
  "object.abort"(task, [reason]) {
    const { inst, home } = task, ctx = state(task);
    queueMicrotask(() => {
      inst.lose(home);
      ctx.abort(reason);
    });
    return MANUAL;
  },
});
