// Runs one Worker and its JavaScript stand-ins under Miniflare; the configuration is
// the argument, the first line of output tells the URL.
import { createRequire } from "node:module";
import fs from "node:fs";
import path from "node:path";

const config = JSON.parse(process.argv[2]);
const require = createRequire(path.join(config.root, "node_modules", "/"));
const { Miniflare, convertV4MiniflareOptions, Log, LogLevel } = require("miniflare");

const modules = config.modules.map((name) => {
  const file = path.join(config.dir, name);
  return name.endsWith(".wasm")
    ? { type: "CompiledWasm", path: file, contents: fs.readFileSync(file) }
    : { type: "ESModule", path: file, contents: fs.readFileSync(file, "utf8") };
});

const services = Object.entries(config.services ?? {}).map(([name, source]) => ({
  name, compatibilityDate: config.worker.compatibilityDate,
  modules: [{ type: "ESModule", path: path.join(config.dir, name + ".mjs"), contents: source }], modulesRoot: config.dir,
}));

const mf = new Miniflare(convertV4MiniflareOptions({
  host: "127.0.0.1", port: 0, log: new Log(LogLevel.WARN), telemetry: { enabled: false }, cf: false,
  resourcePersistencePath: config.state, unsafeTriggerHandlers: true,
  workers: [{ ...config.worker, modules, modulesRoot: config.dir }, ...services],
}));
const url = await mf.ready;
console.log(JSON.stringify({ url: url.href.replace(/\/$/, "") }));
