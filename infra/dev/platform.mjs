// The part of the local platform that has to be JavaScript: it holds Miniflare. Its parent, package dev, speaks to it in
// lines of JSON, one request and one answer each, and it ends when the parent does, because its standard input ends.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Control, Unreachable } from "./client.mjs";
import { unfinishedRuns } from "./runs.mjs";
import { Log, LogLevel, Miniflare, convertV4MiniflareOptions } from "miniflare";

const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);
let miniflare;
let config;
const control = new Control(() => miniflare.unsafeGetDirectURL("control"));

/** Notices are what Miniflare itself has to say, such as that workerd has crashed. The standard output is for answers. */
class Notices extends Log {
  log(message) {
    process.stderr.write(`${message}\n`);
  }

  /** A workerd that could not be started again is not tried any more: the end of this process tells the parent. */
  error(message) {
    super.error(message);
    if (message.code === "ERR_RUNTIME_FAILURE") process.exit(1);
  }
}

// A Worker in Go gets one more entrypoint, by which what its runtime has counted and what it has written to datasets can be read, and its calls
// of the platform be disturbed.
const meter = `import { WorkerEntrypoint } from "cloudflare:workers";
import worker, * as all from "./worker.mjs";
import { tables } from "./glue/index.mjs";
import { disturb, install, struck } from "./disturb.mjs";
import { points } from "./points.mjs";
install(all);
export * from "./worker.mjs";
export class Meter extends WorkerEntrypoint {
  read() { return tables(); }
  disturb(next) { disturb(next); }
  struck() { return struck(); }
  points() { return points(); }
}
`;
const beside = Object.fromEntries(["disturb.mjs", "points.mjs"].map((name) => [name, readFileSync(new URL(name, import.meta.url), "utf8")]));

// The public Worker has files answered in its place, as Cloudflare's router does ahead of it.
const withAssets = (path) => `const below = ${JSON.stringify(path)}, itself = below.slice(0, -1);
export default {
  ...worker,
  fetch(request, env, ctx) {
    const { pathname } = new URL(request.url);
    return pathname === itself || pathname.startsWith(below) ? env.LOCAL_ASSETS.fetch(request) : worker.fetch(request, env, ctx);
  },
};
`;

/** modules reads a Worker's modules, its main module first. */
function modules({ dir, main, metered, assetsPath }) {
  if (!dir) return [{ type: "ESModule", path: "/assets.mjs", contents: "export default {};" }];
  const names = readdirSync(dir, { recursive: true }).filter((name) => /\.(mjs|js|wasm)$/.test(name) && name !== main);
  const entry = meter + (assetsPath ? withAssets(assetsPath) : "export default worker;");
  const added = { "meter.mjs": entry, ...beside };
  const first = metered ? Object.entries(added).map(([name, contents]) => ({ type: "ESModule", path: join(dir, name), contents })) : [];
  return first.concat([main, ...names].map((name) => {
    const path = join(dir, name);
    return name.endsWith(".wasm")
      ? { type: "CompiledWasm", path, contents: readFileSync(path) }
      : { type: "ESModule", path, contents: readFileSync(path, "utf8") };
  }));
}

function options({ workers, persist, port, public: publicWorker }) {
  return convertV4MiniflareOptions({
    host: "127.0.0.1",
    port: 0,
    cf: false,
    telemetry: { enabled: false },
    log: new Notices(LogLevel.WARN),
    handleStructuredLogs: ({ level, message }) => process.stderr.write(`${level === "log" ? "" : `${level}: `}${message}\n`),
    resourcePersistencePath: persist,
    // Miniflare starts a workerd that has crashed again by itself.
    unsafeHandleRuntimeRestart: () => wake().catch((error) => process.stderr.write(`error: after a crash of workerd: ${error}\n`)),
    workers: workers.map(({ dir, main, metered, assetsPath, ...worker }) => ({
      ...worker,
      modules: modules({ dir, main, metered, assetsPath }),
      modulesRoot: dir ?? "/",
      // Requests reach the public Worker straight, past Miniflare's own router.
      ...(worker.name === publicWorker && { unsafeDirectSockets: [{ host: "127.0.0.1", port }] }),
      ...(worker.name === "control" && { unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }], bindings: { secret: control.secret } }),
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

/** wake makes what workerd had in memory when it ended go on: the queues' delivery and the Workflows' sleeps. */
async function wake() {
  await control.patiently("wake");
  for (const [workflow, ids] of unfinishedRuns(config.persist)) await control.patiently(`workflow/${workflow}/wake`, ids);
}

const queue = ({ path, args }) => control.ask(`queue/${path}`, args);

// Each method of a namespace and of a bucket may run twice.
const kv = ({ worker, binding, method, args }) => control.patiently(`kv/${worker}:${binding}/${method}`, args);
const r2 = ({ worker, binding, method, args }) => control.patiently(`r2/${worker}:${binding}/${method}`, args);

const meters = ({ worker, method, args }) => control.ask(`meter/${worker}/${method}`, args);

/** cron runs the scheduled handler of a Worker, as if the time had come. */
async function cron({ worker, schedule, at }) {
  const { outcome } = await control.ask(`cron/${worker}/${encodeURIComponent(schedule)}`, [at]);
  if (outcome !== "ok") throw new Error(`outcome ${outcome}`);
}

const requests = { start, reload, kv, r2, queue, cron, meters };

for await (const line of createInterface({ input: process.stdin })) {
  const { id, request, args } = JSON.parse(line);
  if (request === "stop") break;
  requests[request](args).then(
    (result) => say({ id, result: result ?? null }),
    (error) => say({ id, error: error instanceof Unreachable ? error.message : String(error?.stack ?? error) }),
  );
}
await miniflare?.dispose();
process.exit(0);
