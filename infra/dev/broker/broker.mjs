// The Worker that stands in for Cloudflare Queues: the entrypoint Queue has the
// signature of a queue binding, and one Durable Object of the class Broker keeps
// each queue's messages and delivers them. How to bind it: doc.go.
export { Queue } from "./queue.mjs";
export { Broker } from "./object.mjs";

export default {
  fetch: () => new Response("This Worker has no routes: bind its entrypoint Queue.\n", { status: 404 }),
};
