// A consumer that asks the test what to do with each batch: it posts the batch to
// RECORDER and does with the real MessageBatch what the answer says.
import { tell } from "./bodies.mjs";

export default {
  async queue(batch, env) {
    const messages = batch.messages.map((m) => ({ id: m.id, timestamp: m.timestamp, attempts: m.attempts, body: tell(m.body) }));
    const response = await env.RECORDER.fetch("http://recorder/", {
      method: "POST",
      body: JSON.stringify({ queue: batch.queue, metrics: batch.metadata.metrics, messages }),
    });
    const { verdicts = {}, batch: whole, fail } = await response.json();
    for (const m of batch.messages) {
      const { ack, retry } = verdicts[m.id] ?? {};
      if (ack) m.ack();
      if (retry) m.retry(retry);
    }
    if (whole?.ack) batch.ackAll();
    if (whole?.retry) batch.retryAll(whole.retry);
    if (fail) throw new Error(fail);
  },
};
