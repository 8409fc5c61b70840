// Cloudflare's defaults for what a queue's consumer leaves out.
// https://developers.cloudflare.com/queues/configuration/configure-queues/
const defaults = {
  consumer: null, // the name of the service binding whose queue handler is called
  maxBatchSize: 10,
  maxWaitMs: 5_000,
  maxRetries: 3,
  retryDelay: 0, // seconds
  retryDivisor: 1, // shortens every delay of a retry: not Cloudflare's
  maxConcurrency: 0, // 0 lets the platform choose: here 10
  deadLetterQueue: null,
  visibilityTimeoutMs: 15 * 60_000, // a consumer's most wall time
};

/**
 * settings returns the settings of a queue, or undefined if env.QUEUES does not name
 * it. It throws if they refer to a queue or a consumer that is not there.
 */
export function settings(env, queue) {
  const table = typeof env.QUEUES === "string" ? JSON.parse(env.QUEUES) : env.QUEUES;
  if (!Object.hasOwn(table, queue)) return undefined;
  const given = Object.entries(table[queue]).filter(([, value]) => value != null);
  const all = { ...defaults, ...Object.fromEntries(given) };
  const { consumer, deadLetterQueue } = all;
  if (consumer && !env[consumer]) throw new Error(`queue ${queue}: there is no service binding ${consumer}`);
  if (deadLetterQueue && !Object.hasOwn(table, deadLetterQueue)) throw new Error(`queue ${queue}: there is no dead-letter queue ${deadLetterQueue}`);
  return { ...all, maxConcurrency: all.maxConcurrency || 10 };
}
