// Runs the broker, a producer and a consumer on workerd, prints the producer's URL as
// one line of JSON, and ends when its standard input does.
import { Miniflare, convertV4MiniflareOptions } from "miniflare";
import { fileURLToPath } from "node:url";

const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const modules = (...names) => names.map((name) => ({ type: "ESModule", path: path(name) }));
const queues = JSON.parse(process.env.QUEUES);
const compatibilityDate = "2026-11-01";
const binding = (queue) => [queue, { name: "broker", entrypoint: "Queue", props: { queue } }];

const miniflare = new Miniflare(convertV4MiniflareOptions({
  port: 0,
  cf: false,
  telemetry: { enabled: false },
  resourcePersistencePath: process.env.STATE,
  workers: [
    {
      name: "producer",
      modules: modules("producer.mjs", "bodies.mjs"),
      modulesRoot: path("."),
      compatibilityDate,
      serviceBindings: Object.fromEntries([...Object.keys(queues), "nowhere"].map(binding)),
    },
    {
      name: "consumer",
      modules: modules("consumer.mjs", "bodies.mjs"),
      modulesRoot: path("."),
      compatibilityDate,
      serviceBindings: { RECORDER: { external: { address: process.env.RECORDER, http: {} } } },
    },
    {
      name: "broker",
      modules: modules("../broker.mjs", "../queue.mjs", "../object.mjs", "../backlog.mjs", "../content.mjs", "../settings.mjs", "../v8.mjs"),
      modulesRoot: path(".."),
      compatibilityDate,
      compatibilityFlags: ["service_binding_extra_handlers"],
      durableObjects: { BROKER: { className: "Broker", useSQLite: true, unsafePreventEviction: true } },
      bindings: { QUEUES: queues },
      serviceBindings: { CONSUMER: "consumer", PRODUCER: "producer" },
    },
  ],
}));
console.log(JSON.stringify({ url: (await miniflare.ready).href }));
for await (const _ of process.stdin);
await miniflare.dispose();
