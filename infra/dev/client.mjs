// How platform.mjs reaches the control Worker: over HTTP and asynchronously. Miniflare's own proxies (getWorker,
// getKVNamespace, ...) hold up Node while workerd answers, and a workerd whose Workers log a lot does not answer before
// Node has read its log: then both wait for ever.
import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";

const patienceMs = 30_000;

/** Unreachable says that there is no workerd to answer. */
export class Unreachable extends Error {
  constructor(cause) {
    const reason = cause.cause?.message || cause.cause?.code || cause.message;
    super(
      `workerd does not answer (${reason}). It has ended, was killed, or the machine has no memory left for it; ` +
        "its log says more. Start the platform again: what is stored stays, and what was cut short is done again.",
    );
  }
}

export class Control {
  secret = randomUUID(); // the Worker's address is open to every process and web page of the machine
  #url;

  /** url is a function that resolves to the Worker's address, which changes. */
  constructor(url) {
    this.#url = url;
  }

  /** ask asks once. */
  async ask(path, args) {
    const url = new URL(path, await this.#url());
    let answer, text;
    try {
      answer = await fetch(url, { method: "POST", headers: { authorization: this.secret }, body: JSON.stringify(args ?? []) });
      text = await answer.text();
    } catch (error) {
      throw new Unreachable(error);
    }
    if (!answer.ok) throw new Error(text);
    return JSON.parse(text);
  }

  /** patiently asks what may be asked twice, and asks again while workerd is being started again. */
  async patiently(path, args) {
    for (const end = Date.now() + patienceMs; ; await pause(50)) {
      try {
        return await this.ask(path, args);
      } catch (error) {
        if (!(error instanceof Unreachable) || Date.now() > end) throw error;
      }
    }
  }
}
