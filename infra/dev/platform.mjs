// The part of the local platform that has to be JavaScript: it holds Miniflare. Its parent, package dev, speaks to it in
// lines of JSON, one request and one answer each, and it ends when the parent does, because its standard input ends.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { unfinishedRuns } from "./runs.mjs";
import { Log, LogLevel, Miniflare, convertV4MiniflareOptions } from "miniflare";

const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);
let miniflare;
let config;

/** modules reads a Worker's modules, its main module first. */
function modules({ dir, main }) {
  const names = readdirSync(dir, { recursive: true }).filter((name) => /\.(mjs|js|wasm)$/.test(name) && name !== main);
  return [main, ...names].map((name) => {
    const path = join(dir, name);
    return name.endsWith(".wasm")
      ? { type: "CompiledWasm", path, contents: readFileSync(path) }
      : { type: "ESModule", path, contents: readFileSync(path, "utf8") };
  });
}

function options({ workers, persist, port, public: publicWorker }) {
  return convertV4MiniflareOptions({
    host: "127.0.0.1",
    port: 0,
    cf: false,
    telemetry: { enabled: false },
    log: new Log(LogLevel.NONE),
    handleStructuredLogs: ({ level, message }) => process.stderr.write(`${level === "log" ? "" : `${level}: `}${message}\n`),
    resourcePersistencePath: persist,
    // Miniflare starts a workerd that has crashed again by itself.
    unsafeHandleRuntimeRestart: () => wake().catch((error) => process.stderr.write(`error: after a crash of workerd: ${error}\n`)),
    workers: workers.map(({ dir, main, ...worker }) => ({
      ...worker,
      modules: modules({ dir, main }),
      modulesRoot: dir,
      // Requests reach the public Worker straight, past Miniflare's own router.
      ...(worker.name === publicWorker && { unsafeDirectSockets: [{ host: "127.0.0.1", port }] }),
    })),
  });
}

async function start(next) {
  config = next;
  miniflare = new Miniflare(options(config));
  await miniflare.ready;
  const url = await miniflare.unsafeGetDirectURL(config.public);
  config.port = Number(url.port); // a reload keeps it
  await wake();
  return { url: url.origin };
}

async function reload() {
  await miniflare.setOptions(options(config));
  await miniflare.ready;
  await wake();
}

/** control asks the control Worker. */
async function control(path, args) {
  const worker = await miniflare.getWorker("control");
  const answer = await worker.fetch(`http://control/${path}`, { method: "POST", body: JSON.stringify(args ?? []) });
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

const queue = ({ path, args }) => control(`queue/${path}`, args);

/** wake makes what workerd had in memory when it ended go on: the queues' delivery and the Workflows' sleeps. */
async function wake() {
  await control("wake");
  for (const [workflow, ids] of unfinishedRuns(config.persist)) await control(`workflow/${workflow}/wake`, ids);
}

const kv = async ({ worker, binding, method, args }) => {
  const namespace = await miniflare.getKVNamespace(binding, worker);
  return (await namespace[method](...args)) ?? null;
};

const r2 = async ({ worker, binding, method, args }) => {
  const bucket = await miniflare.getR2Bucket(binding, worker);
  const result = (await bucket[method](...args)) ?? null;
  if (method === "get") return result && result.text();
  return method === "list" ? { ...result, objects: result.objects.map(({ key }) => ({ key })) } : result;
};

/** cron runs the scheduled handler of a Worker, as if the time had come. */
async function cron({ worker, schedule }) {
  const { outcome } = await (await miniflare.getWorker(worker)).scheduled({ cron: schedule });
  if (outcome !== "ok") throw new Error(`outcome ${outcome}`);
}

const requests = { start, reload, kv, r2, queue, cron };

for await (const line of createInterface({ input: process.stdin })) {
  const { id, request, args } = JSON.parse(line);
  if (request === "stop") break;
  requests[request](args).then(
    (result) => say({ id, result: result ?? null }),
    (error) => say({ id, error: String(error?.stack ?? error) }),
  );
}
await miniflare?.dispose();
process.exit(0);
