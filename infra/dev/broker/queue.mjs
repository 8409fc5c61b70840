import { WorkerEntrypoint } from "cloudflare:workers";
import { encode } from "./content.mjs";
import { settings } from "./settings.mjs";

// https://developers.cloudflare.com/queues/platform/limits/
const maxMessageBytes = 128_000;
const maxBatchBytes = 256_000;
const maxBatchCount = 100;
const maxDelaySeconds = 86_400;

// Queue is a queue binding: the queue is named by the binding's props, { queue }.
// A message it has taken is on disk.
//
// It refuses what production refuses; the number at the end of a message is
// production's code. https://developers.cloudflare.com/queues/reference/error-codes/
//
// A body crosses to here by RPC first. So a generator cannot be sendBatch's
// iterable (an array or a Set can), and an instance of a class is refused, where
// production would send its JSON.
//
// https://developers.cloudflare.com/queues/configuration/javascript-apis/
export class Queue extends WorkerEntrypoint {
  async send(body, options = {}) {
    return this.#send([message({ ...options, body })], (count, total, largest) => {
      if (largest > maxMessageBytes) throw refusal(`message length of ${largest} bytes exceeds limit of ${maxMessageBytes}`, 10204);
    });
  }

  async sendBatch(messages, options = {}) {
    const batch = [...messages];
    if (batch.length === 0) throw new TypeError("sendBatch() requires at least one message");
    if (!delayIsValid(options.delaySeconds)) throw refusal("Invalid batch delay", 10202);
    return this.#send(batch.map((m) => message({ ...m, delaySeconds: m.delaySeconds ?? options.delaySeconds })), (count, total, largest) => {
      if (count > maxBatchCount) throw refusal(`batch message count of ${count} exceeds limit of ${maxBatchCount}`, 10206);
      if (largest > maxMessageBytes) throw refusal(`message in batch has length ${largest} bytes which exceeds single message size limit of ${maxMessageBytes}`, 10204);
      if (total > maxBatchBytes) throw refusal(`batch size of ${total} bytes exceeds limit of ${maxBatchBytes} bytes`, 10205);
    });
  }

  async metrics() {
    return this.#object().metrics();
  }

  // What follows is not Cloudflare's: the platform's and the tests' handle on a queue.

  /** traffic counts what has come in and what was delivered since the start. */
  async traffic() {
    return this.#object().traffic();
  }

  /** wake goes on with the delivery of what was there before a restart. */
  async wake() {
    await this.#object().wake();
  }

  /**
   * control turns faults on and off until the next restart. duplicate delivers
   * messages twice: 1 and more means every nth, less than 1 is a probability.
   * shuffle delivers in random order. pause starts no delivery.
   */
  async control({ duplicate, shuffle, pause }) {
    await this.#object().control({ duplicate, shuffle, pause });
  }

  /** peek returns the messages that arrived first, without delivering them. */
  async peek({ limit = 10 } = {}) {
    return this.#object().peek(limit);
  }

  /** purge removes all messages, and answers how many there were. */
  async purge() {
    return this.#object().purge();
  }

  async #send(messages, check) {
    const sizes = messages.map((m) => m.bytes.byteLength);
    check(sizes.length, sizes.reduce((a, b) => a + b, 0), Math.max(...sizes));
    return { metadata: { metrics: await this.#object().accept(messages) } };
  }

  #object() {
    const { queue } = this.ctx.props;
    if (!settings(this.env, queue)) throw refusal("Queue does not exist", 10104);
    return this.env.BROKER.getByName(queue);
  }
}

// message is what the object stores of a request's message.
function message({ body, contentType = "json", delaySeconds = 0 }) {
  if (!delayIsValid(delaySeconds)) throw refusal("Invalid message metadata", 10203);
  const type = String(contentType).toLowerCase();
  return { bytes: encode(body, type), contentType: type, delayMs: delaySeconds * 1000 };
}

function delayIsValid(seconds = 0) {
  return Number.isInteger(seconds) && seconds >= 0 && seconds <= maxDelaySeconds;
}

function refusal(cause, code) {
  return new Error(`${cause} (${code})`);
}
