// The Worker under test: POST a name, get what the binding did as JSON.
const vector = (...numbers) => Float32Array.from(numbers);

async function failure(f) {
  try {
    await f();
    return { none: true };
  } catch (e) {
    return { name: e.name, message: e.message };
  }
}

const script = (turn, rest = {}) => ({ messages: [{ role: "user", content: JSON.stringify({ script: turn }) }], ...rest });
const gateway = { id: "levada", metadata: { tenant_id: "acme", route: "test" } };

const cases = {
  async embed({ AI }) {
    const answer = await AI.run("@cf/baai/bge-m3", { text: ["first text", "second text"] }, { gateway });
    return { keys: Object.keys(answer), shape: answer.shape, lengths: answer.data.map((v) => v.length), pooling: answer.pooling };
  },
  async raw({ AI }) {
    const response = await AI.run("@cf/baai/bge-small-en-v1.5", { text: "one" }, { gateway, returnRawResponse: true });
    const id = response.headers.get("cf-aig-log-id");
    const body = await response.json();
    const log = await AI.gateway("levada").getLog(id);
    await AI.gateway("levada").patchLog(id, { feedback: 1, score: 80 });
    const patched = await AI.gateway("levada").getLog(id);
    return {
      status: response.status,
      request: response.headers.get("cf-ai-req-id"),
      cache: response.headers.get("cf-aig-cache-status"),
      shape: body.shape,
      log: { ...log, created_at: log.created_at instanceof Date },
      patched: { feedback: patched.feedback, score: patched.score },
      url: await AI.gateway("levada").getUrl("workers-ai"),
    };
  },
  async rawError({ AI }) {
    const response = await AI.run("@cf/none/such", { text: "x" }, { gateway, returnRawResponse: true });
    return { status: response.status, body: await response.json() };
  },
  async thrown({ AI }) {
    return [
      await failure(() => AI.run("@cf/none/such", { text: "x" })),
      await failure(() => AI.run("@local/script", script({ error: { code: 3040, status: 429, text: "busy" } }))),
      await failure(() => AI.gateway("levada").getLog("none")),
    ];
  },
  async chat({ AI }) {
    const tools = [{ id: "call_1", name: "weather", arguments: { city: "Funchal" } }];
    return [
      await AI.run("@local/script", script({ tokens: ["Hel", "lo"] }), { gateway }),
      await AI.run("@local/script-openai", script({ toolCalls: tools }), { gateway }),
    ];
  },
  async stream({ AI }) {
    const stream = await AI.run("@local/script", script({ tokens: ["a", "b"] }, { stream: true }), { gateway });
    return { stream: stream instanceof ReadableStream, text: await new Response(stream).text() };
  },
  // Audio is bytes: a stream of them, or with returnRawResponse the Response that says of what kind; melotts answers JSON.
  async speech({ AI }) {
    const inputs = { text: "Six.", encoding: "linear16", container: "wav" };
    const stream = await AI.run("@cf/deepgram/aura-1", inputs, { gateway });
    const read = async () => {
      const response = await AI.run("@cf/deepgram/aura-1", inputs, { gateway: { ...gateway, cacheKey: "six", cacheTtl: 60 }, returnRawResponse: true });
      const { headers } = response;
      return { type: headers.get("content-type"), cache: headers.get("cf-aig-cache-status"), bytes: new Uint8Array(await response.arrayBuffer()) };
    };
    const first = await read();
    const second = await read();
    const whole = new Uint8Array(await new Response(stream).arrayBuffer());
    const same = (a, b) => a.length > 1000 && a.length === b.length && a.every((byte, i) => byte === b[i]);
    const { audio } = await AI.run("@cf/myshell-ai/melotts", { prompt: "Six." }, { gateway });
    return {
      stream: stream instanceof ReadableStream,
      types: [first.type, second.type],
      cache: [first.cache, second.cache],
      same: [same(whole, first.bytes), same(first.bytes, second.bytes)],
      heads: [whole, Uint8Array.from(atob(audio), (c) => c.charCodeAt(0))].map((bytes) => new TextDecoder().decode(bytes.slice(0, 4))),
      thrown: await failure(() => AI.run("@cf/deepgram/aura-1", { text: "Six.", speaker: "nobody" })),
    };
  },
  async cancelled({ AI }) {
    const response = await AI.run("@local/script", script({ tokens: ["a", "b"], delayMs: 3_600_000 }, { stream: true }), {
      gateway: { ...gateway, eventId: "cancelled" },
      returnRawResponse: true,
    });
    const reader = response.body.getReader();
    await reader.read();
    await reader.cancel();
    return response.headers.get("cf-aig-log-id");
  },
  async vectors({ VECTORIZE, NOTES }) {
    const inserted = await VECTORIZE.upsert([
      { id: "a", values: vector(1, 0, 0), namespace: "acme", metadata: { kind: "doc", n: 1, deep: { er: true } } },
      { id: "b", values: [0, 1, 0], namespace: "acme", metadata: { kind: "note" } },
      { id: "c", values: vector(1, 0, 0), namespace: "globex" },
    ]);
    await VECTORIZE.insert([{ id: "b", values: [0, 0, 1] }]);
    await NOTES.upsert([{ id: "n", values: [1, 2] }]);
    const got = await VECTORIZE.getByIds(["b", "none", "a"]);
    const query = await VECTORIZE.query(vector(1, 0.5, 0), { namespace: "acme", topK: 2, returnValues: true, returnMetadata: "all" });
    const result = {
      inserted: typeof inserted.mutationId,
      typed: [got[0].values instanceof Float32Array, query.matches[1].values instanceof Float32Array],
      got: got.map((v) => ({ ...v, values: [...v.values] })),
      query: { ...query, matches: query.matches.map((m) => ({ ...m, values: [...m.values] })) },
      plain: await VECTORIZE.query([1, 0, 0]),
      filtered: await VECTORIZE.query([1, 0, 0], { namespace: "acme", filter: { kind: "note" }, returnMetadata: "indexed" }),
      like: await VECTORIZE.queryById("a", { namespace: "globex" }),
      notes: await NOTES.describe(),
    };
    const gone = await VECTORIZE.deleteByIds(["a"]);
    const info = await VECTORIZE.describe();
    return { ...result, info, last: info.processedUpToMutation === gone.mutationId };
  },
  // Bodies that are longer than a piece of workerd's go another way.
  async large({ VECTORIZE }) {
    const many = (n, values) => Array.from({ length: n }, (_, i) => ({ id: `many-${i}`, namespace: "many", values, metadata: { text: "ä".repeat(500) } }));
    await VECTORIZE.upsert(many(200, vector(0, 0, 1)));
    const refused = await failure(() => VECTORIZE.upsert(many(200, [1, 0])));
    const found = await VECTORIZE.query(vector(0, 0, 1), { namespace: "many", topK: 50, returnMetadata: "all" });
    const [last] = await VECTORIZE.getByIds(["many-199"]);
    return { refused, found: found.count, text: found.matches.every((m) => m.metadata.text === "ä".repeat(500)), last: [...last.values] };
  },
  async refused({ VECTORIZE }) {
    return [
      await failure(() => VECTORIZE.query([1, 0])),
      await failure(() => VECTORIZE.query([1, 0, 0], { topK: 51, returnMetadata: true })),
      await failure(() => VECTORIZE.upsert([{ id: "x".repeat(65), values: [1, 0, 0] }])),
      await failure(() => VECTORIZE.insert([{ id: "x", values: [1, 0] }])),
      await failure(() => VECTORIZE.getByIds(Array(21).fill("x"))),
      await failure(() => VECTORIZE.deleteByIds(Array(101).fill("x"))),
    ];
  },
};

export default {
  async fetch(request, env) {
    return Response.json(await cases[await request.text()](env));
  },
};
