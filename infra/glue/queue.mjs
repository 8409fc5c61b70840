// Queue consumers. Go decides about every message and answers once, at the end of the
// batch; what it left open is retried. The handler itself only throws when the Go
// instance died, because a throw may retry acknowledged messages too.
import { instance, runEvent } from "./host.mjs";
import { Task } from "./task.mjs";

const text = new TextEncoder();

const OPEN = 0, ACK = 1; // RETRY = 2 and a delay; as in queue/consume_js.go

export async function consume(batch, ctx) {
  const task = new Task(instance(), 0, ctx, null), m = batch.metadata?.metrics;
  const { code, values } = await runEvent(task, [
    "queue", batch.queue, m?.backlogCount ?? -1, m?.backlogBytes ?? -1, m?.oldestMessageTimestamp?.getTime?.() ?? 0,
    batch.messages.map((m) => [m.id, m.timestamp.getTime(), m.attempts, body(m.body)]),
  ]);
  if (code) throw new Error(values[0]);
  const [verdicts] = values;
  batch.messages.forEach((m, i) => {
    const [verdict, delay] = verdicts[i] ?? [OPEN, 0];
    if (verdict === ACK) m.ack();
    else m.retry(delay > 0 ? { delaySeconds: delay } : undefined);
  });
}

/** body returns the bytes that were sent; a message that was sent as an object is JSON. */
function body(v) {
  if (typeof v === "string") return text.encode(v);
  if (v instanceof ArrayBuffer) return new Uint8Array(v);
  if (ArrayBuffer.isView(v)) return new Uint8Array(v.buffer, v.byteOffset, v.byteLength);
  return text.encode(JSON.stringify(v) ?? "null");
}
