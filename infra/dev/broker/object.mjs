import { DurableObject } from "cloudflare:workers";
import { Backlog } from "./backlog.mjs";
import { decode } from "./content.mjs";
import { settings } from "./settings.mjs";

const maxDelayMs = 86_400_000;

// While there are messages to deliver, an alarm is set at least this far ahead. It is
// for the process that comes after a death; in a living one timers are on time.
const netMs = 5_000;

// Broker is one queue. The object's name is the queue's.
//
// Delivery is at least once and in no promised order. A message is removed when its
// handler has acknowledged it, and delivered again when it was retried, when the
// handler threw and had not acknowledged it, when the handler did not end in time,
// and when the process died while it was in flight; the last does not count as an
// attempt.
export class Broker extends DurableObject {
  #queue;
  #settings;
  #backlog;
  #inFlight = 0; // batches
  #timer;
  #alarm = Infinity; // when the alarm that was set fires
  #faults = {};
  #delivered = 0;
  #traffic = { sent: 0, sends: 0, taken: 0, batches: 0 };

  constructor(ctx, env) {
    super(ctx, env);
    this.#queue = ctx.id.name;
    this.#settings = settings(env, this.#queue);
    this.#backlog = new Backlog(ctx.storage);
  }

  /** accept stores messages, those of a dead-letter queue with their id and timestamp, and answers the metrics. */
  accept(messages) {
    this.#backlog.add(messages, Date.now());
    this.#traffic.sent += messages.length;
    this.#traffic.sends++;
    this.#deliver();
    return this.#backlog.metrics();
  }

  metrics() {
    return this.#backlog.metrics();
  }

  /** traffic counts, since the start, messages that came in and the calls that brought them, messages that were delivered and their batches. */
  traffic() {
    return this.#traffic;
  }

  wake() {
    this.#deliver();
  }

  alarm() {
    this.#alarm = Infinity;
    this.#deliver();
  }

  control(faults) {
    const given = Object.entries(faults).filter(([, value]) => value !== undefined);
    Object.assign(this.#faults, Object.fromEntries(given));
    this.#deliver();
  }

  peek(limit) {
    return this.#backlog.peek(limit).map(({ id, timestamp, due, attempts, type, bytes }) => ({
      id, timestamp: new Date(timestamp), due: new Date(due), attempts, contentType: type, ...decode(bytes, type),
    }));
  }

  purge() {
    return this.#backlog.purge();
  }

  // deliver starts every batch that may start now, and comes back when the next one may.
  #deliver() {
    clearTimeout(this.#timer);
    const { consumer, maxBatchSize, maxWaitMs, maxConcurrency } = this.#settings;
    if (!consumer || this.#faults.pause || this.#backlog.count === 0) return;
    const now = Date.now(), backlog = this.#backlog;
    while (this.#inFlight < maxConcurrency) {
      backlog.fill(maxBatchSize, now);
      if (backlog.waiting < maxBatchSize && backlog.since + maxWaitMs > now) break;
      this.#dispatch(this.#batch(now));
    }
    const again = this.#inFlight < maxConcurrency ? Math.min(backlog.since + maxWaitMs, backlog.next) : Infinity;
    if (again < Infinity) this.#timer = setTimeout(() => this.#deliver(), Math.max(0, again - now));
    this.#secure(again < Infinity ? again : now, now);
  }

  // secure sets the alarm, unless one comes early enough.
  #secure(at, now) {
    const alarm = Math.max(at, now + netMs);
    if (alarm >= this.#alarm) return;
    this.#alarm = alarm;
    this.ctx.storage.setAlarm(alarm);
  }

  #batch(now) {
    const { duplicate, shuffle } = this.#faults;
    const batch = this.#backlog.take(this.#settings.maxBatchSize, shuffle);
    for (const message of batch) {
      if (duplicate && !message.copy && this.#isNth(duplicate)) this.#backlog.repeat(message, now);
    }
    return batch;
  }

  #isNth(n) {
    return n < 1 ? Math.random() < n : ++this.#delivered % Math.round(n) === 0;
  }

  async #dispatch(batch) {
    this.#inFlight++;
    this.#traffic.taken += batch.length;
    this.#traffic.batches++;
    try {
      await this.#settle(batch, await this.#handle(batch));
    } catch (e) {
      // The batch is neither settled nor in memory: start over from what is on disk.
      console.error(`queue ${this.#queue}: restarts after`, e);
      this.ctx.abort(`queue ${this.#queue}: ${e}`);
    }
    this.#inFlight--;
    this.#deliver();
  }

  // handle calls the consumer's queue handler and returns what it decided. Also when
  // the handler throws, the result holds what was acknowledged before; only when
  // the call itself fails, as with a Worker without handler, nothing is known.
  async #handle(batch) {
    const messages = batch.map(({ id, timestamp, attempts, type, bytes }) => ({
      id, timestamp: new Date(timestamp), attempts: attempts + 1, ...decode(bytes, type),
    }));
    const { consumer, visibilityTimeoutMs } = this.#settings;
    let timer;
    const tooLate = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`the handler did not end within ${visibilityTimeoutMs} ms`)), visibilityTimeoutMs);
    });
    try {
      return await Promise.race([this.env[consumer].queue(this.#queue, messages, { metrics: this.#backlog.metrics() }), tooLate]);
    } catch (e) {
      console.error(`queue ${this.#queue}: a batch of ${batch.length} failed:`, e);
      return { outcome: "exception", ackAll: false, retryBatch: { retry: false }, explicitAcks: [], retryMessages: [] };
    } finally {
      clearTimeout(timer);
    }
  }

  async #settle(batch, result) {
    const { maxRetries, deadLetterQueue } = this.#settings;
    const verdict = this.#verdicts(result);
    const done = [], again = [], dead = [];
    for (const message of batch) {
      if (message.copy) continue;
      const delayMs = verdict(message.id);
      if (delayMs === null) done.push(message);
      else if (message.attempts < maxRetries) again.push({ message, delayMs });
      else dead.push(message);
    }
    if (dead.length > 0 && !deadLetterQueue) {
      console.warn(`queue ${this.#queue}: ${dead.length} messages failed ${maxRetries + 1} times and are dropped`);
    } else if (dead.length > 0) {
      await this.env.BROKER.getByName(deadLetterQueue).accept(
        dead.map(({ id, timestamp, type, bytes }) => ({ id, timestamp, contentType: type, bytes })));
    }
    this.#backlog.settle([...done, ...dead], again, Date.now());
  }

  // verdicts returns a function that tells of a message: null is acknowledged, a number the
  // delay of its retry. What was said about one message counts before what was said
  // about the batch, and that before how the handler ended.
  #verdicts({ outcome, ackAll, retryBatch, explicitAcks, retryMessages }) {
    const acks = new Set(explicitAcks);
    const retries = new Map(retryMessages.map((r) => [r.msgId, r.delaySeconds]));
    const delayMs = (seconds) => Math.min((seconds ?? this.#settings.retryDelay) * 1000, maxDelayMs) / this.#settings.retryDivisor;
    return (id) => {
      if (acks.has(id)) return null;
      if (retries.has(id)) return delayMs(retries.get(id));
      if (ackAll) return null;
      if (retryBatch.retry) return delayMs(retryBatch.delaySeconds);
      return outcome === "ok" ? null : delayMs();
    };
  }
}
