// The Worker under test's neighbour: it sends as production code does. POST
// { queue, call, args }, get what the binding's method answered or threw, as JSON.
import { bodies } from "./bodies.mjs";

async function call(env, { queue, call, args }) {
  try {
    const result = await env[queue][call](...(args ?? []));
    return { result: result ?? null };
  } catch (e) {
    return { error: { name: e.name, message: e.message } };
  }
}

// flood sends n numbered messages in batches of 100, with several senders at once.
async function flood(env, { queue, from = 0, n, senders = 4, size = 200 }) {
  let next = from;
  const filler = "x".repeat(size);
  async function sender() {
    while (next < from + n) {
      const at = next;
      next = Math.min(at + 100, from + n);
      await env[queue].sendBatch(Array.from({ length: next - at }, (_, i) => ({ body: { n: at + i, filler } })));
    }
  }
  await Promise.all(Array.from({ length: senders }, sender));
}

export default {
  async fetch(request, env) {
    const asked = await request.json();
    if (asked.flood) {
      await flood(env, asked.flood);
      return Response.json({});
    }
    if (asked.body) return Response.json(await call(env, { ...asked, args: bodies[asked.body]() }));
    return Response.json(await call(env, asked));
  },
};
