// Runs the standins Worker and a caller on workerd, prints the caller's URL, and
// ends when its standard input does.
import { Miniflare, convertV4MiniflareOptions } from "miniflare";
import { fileURLToPath } from "node:url";

const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const compatibilityDate = "2026-10-01";
const standins = { name: "standins" };

const miniflare = new Miniflare(convertV4MiniflareOptions({
  port: 0,
  cf: false,
  telemetry: { enabled: false },
  workers: [
    {
      name: "caller",
      modules: [{ type: "ESModule", path: path("caller.mjs") }],
      compatibilityDate,
      serviceBindings: {
        AI: { ...standins, entrypoint: "AI" },
        VECTORIZE: { ...standins, entrypoint: "Vectorize", props: { index: "chunks" } },
        NOTES: { ...standins, entrypoint: "Vectorize", props: { index: "notes" } },
      },
    },
    {
      name: "standins",
      modules: ["../standins.mjs", "../ai.mjs", "../vectorize.mjs"].map((m) => ({ type: "ESModule", path: path(m) })),
      modulesRoot: path(".."),
      compatibilityDate,
      serviceBindings: {
        LOCALAI: { external: { address: process.env.LOCALAI, http: {} } },
        LOCALVEC: { external: { address: process.env.LOCALVEC, http: {} } },
      },
      bindings: { LOCALVEC_ADDRESS: process.env.LOCALVEC },
    },
  ],
}));
console.log((await miniflare.ready).href);
for await (const _ of process.stdin);
await miniflare.dispose();
