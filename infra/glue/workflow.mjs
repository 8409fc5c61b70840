// Workflow classes whose run() is in Go.
//
// An exception out of run() fails the workflow for good. The death of the Go instance
// (another event's panic, out of memory) must not do that: run() then starts over on a
// fresh instance, and the steps begun before are answered from the memo, because the
// engine counts calls and they must not be made twice. A step whose callback was lost
// fails one attempt, which the engine retries.
import { WorkflowEntrypoint } from "cloudflare:workers";
import { NonRetryableError } from "cloudflare:workflows";
import { instance, runEvent, Died } from "./host.mjs";
import { operations } from "./ops.mjs";
import { Task } from "./task.mjs";
import { json } from "./wire.mjs";

const STARTS = 6; // a workflow that kills the instance each time is itself at fault

/** workflow returns the class of a workflow that Go registered under the name. */
export function workflow(name) {
  return class extends WorkflowEntrypoint {
    async run(event, step) {
      const memo = new Map();
      for (let start = 1; ; start++) {
        const task = new Task(instance(), 0, this.ctx, { step, memo, counts: new Map() });
        try {
          return unwrap(await runEvent(task, ["workflow.run", name, event.instanceId, event.timestamp?.getTime?.() ?? 0, json(event.payload ?? null)]));
        } catch (e) {
          if (!(e instanceof Died) || start === STARTS) throw e;
          console.warn("workflow", event.instanceId, "starts over:", e.message);
        }
      }
    }
  };
}

/** unwrap turns a Go answer into a value or an exception: [final, text] is an error. */
function unwrap({ code, values }) {
  if (!code) return values[0];
  const [text, final] = values;
  throw final ? new NonRetryableError(text) : new Error(text);
}

/** once begins the n-th call of this kind and name unless an earlier start of run() has. */
function once(task, kind, name, begin) {
  const { memo, counts } = task.extra, key = kind + ":" + name, n = (counts.get(key) ?? 0) + 1;
  counts.set(key, n);
  let m = memo.get(key + "#" + n);
  if (!m) memo.set(key + "#" + n, (m = begin()));
  return m;
}

Object.assign(operations, {
  async "step.do"(task, [name, config, callback]) {
    const { step } = task.extra, ctx = task.ctx;
    const m = once(task, "do", name, () => {
      const m = { inst: task.inst, callback, revived: null, promise: null };
      const attempt = async () => {
        // The instance that began the step has died: wait until the new run() comes to it.
        while (m.inst.dead) await (m.revived ??= Promise.withResolvers()).promise;
        return unwrap(await runEvent(new Task(m.inst, 0, ctx, { step }), [m.callback]));
      };
      m.promise = config === null ? step.do(name, attempt) : step.do(name, config, attempt);
      return m;
    });
    if (m.inst !== task.inst) {
      m.inst = task.inst;
      m.callback = callback;
      m.revived?.resolve();
      m.revived = null;
    }
    return [json(await m.promise)];
  },
  async "step.sleep"(task, [name, ms]) {
    await once(task, "sleep", name, () => ({ promise: task.extra.step.sleep(name, ms) })).promise;
  },
  async "step.sleepuntil"(task, [name, at]) {
    await once(task, "sleep", name, () => ({ promise: task.extra.step.sleepUntil(name, new Date(at)) })).promise;
  },
  async "step.event"(task, [name, type, timeout]) {
    const m = once(task, "event", name, () => ({ promise: task.extra.step.waitForEvent(name, { type, timeout }) }));
    const e = await m.promise;
    return [json(e?.payload ?? null), e?.timestamp?.getTime?.() ?? 0];
  },
});
