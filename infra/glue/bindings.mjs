// The operations of the bindings of a Worker. Each only translates; the typed half is
// in infra/cloudflare/<binding>.
import { binding, operations, read, responseValues, syncOperations } from "./ops.mjs";
import { json } from "./wire.mjs";

const set = (o) => { // options without the unset ones
  for (const k in o) if (o[k] === null || o[k] === undefined || o[k] === 0 || o[k] === "") delete o[k];
  return o;
};

Object.assign(operations, {
  // ---- KV
  "kv.get": async (_, [ns, key, cacheTtl]) => {
    const v = await binding(ns).get(key, set({ type: "arrayBuffer", cacheTtl }));
    return v === null ? [null] : [new Uint8Array(v)];
  },
  "kv.getmeta": async (_, [ns, key, cacheTtl]) => {
    const { value, metadata } = await binding(ns).getWithMetadata(key, set({ type: "arrayBuffer", cacheTtl }));
    return value === null ? [null, null] : [new Uint8Array(value), metadata === null ? null : json(metadata)];
  },
  "kv.put": (_, [ns, key, value, expirationTtl, expiration, metadata]) =>
    binding(ns).put(key, value, set({ expirationTtl, expiration, metadata })),
  "kv.delete": (_, [ns, key]) => binding(ns).delete(key),
  "kv.list": async (_, [ns, prefix, cursor, limit]) => {
    const r = await binding(ns).list(set({ prefix, cursor, limit }));
    return [r.list_complete, r.cursor ?? "", r.keys.map((k) => [k.name, k.expiration ?? 0, k.metadata == null ? null : json(k.metadata)])];
  },

  // ---- R2
  "r2.get": async (task, [bucket, key, offset, length, onlyIf]) => {
    const range = offset || length >= 0 ? (length >= 0 ? { offset, length } : offset < 0 ? { suffix: -offset } : { offset }) : null;
    const o = await binding(bucket).get(key, set({ range, onlyIf }));
    if (o === null) return [0];
    if (!o.body) return [1, object(o)]; // the condition failed
    const n = o.range?.length ?? o.size;
    return [2, object(o), n <= SMALL ? new Uint8Array(await o.arrayBuffer()) : task.keep(o.body)];
  },
  "r2.head": async (_, [bucket, key]) => {
    const o = await binding(bucket).head(key);
    return o === null ? [0] : [2, object(o)];
  },
  "r2.put": async (task, [bucket, key, body, stream, contentType, customMetadata, onlyIf]) => {
    const o = await binding(bucket).put(key, stream ? task.release(stream) : body ?? new Uint8Array(0),
      set({ httpMetadata: contentType ? { contentType } : null, customMetadata, onlyIf }));
    return o === null ? [1] : [2, object(o)];
  },
  "r2.delete": (_, [bucket, keys]) => binding(bucket).delete(keys),
  "r2.list": async (_, [bucket, prefix, cursor, delimiter, limit]) => {
    const r = await binding(bucket).list(set({ prefix, cursor, delimiter, limit, include: ["httpMetadata", "customMetadata"] }));
    return [r.truncated ? r.cursor : "", r.objects.map(object), r.delimitedPrefixes ?? []];
  },

  // ---- Queues
  "queue.send": async (_, [queue, body, delay, type]) => metrics(await binding(queue).send(...message(body, delay, type))),
  "queue.batch": async (_, [queue, messages]) => metrics(await binding(queue).sendBatch(messages.map(([body, delay, type]) => {
    const [b, options] = message(body, delay, type);
    return { body: b, ...options };
  }))),
  "queue.metrics": async (_, [queue]) => metrics({ metadata: { metrics: await binding(queue).metrics() } }),

  // ---- Workers AI
  "ai.run": async (task, [ai, model, input, options], op) => {
    options.returnRawResponse = true;
    let gone = false, h = 0; // whether nobody waits for the answer any more; the stream whose beginning is to come with it
    (task.aborts ??= new Map()).set(op, () => { gone = true; if (h) syncOperations["stream.cancel"](task, [h]); });
    const r = await binding(ai).run(model, input, options);
    if (gone) return void r.body?.cancel().catch(() => {});
    const head = told(r);
    if (!r.body || !r.headers.get("content-type")?.startsWith("text/event-stream")) return responseValues(task, r, head);
    // The head says nothing without an event, so they come together, which saves a turn.
    h = task.keep(r.body);
    const first = await read(r.body).catch(() => null); // the next read fails, too
    return [r.status, head, -1, h, first?.value ?? null];
  },

  // ---- Vectorize
  "vectorize.write": async (_, [index, method, vectors]) => {
    const r = await binding(index)[method](vectors.map(([id, values, namespace, metadata]) => ({ id, values, ...set({ namespace, metadata }) })));
    return [r.mutationId ?? ""];
  },
  "vectorize.delete": async (_, [index, ids]) => [(await binding(index).deleteByIds(ids)).mutationId ?? ""],
  "vectorize.query": async (_, [index, vector, id, topK, namespace, filter, returnValues, returnMetadata]) => {
    const b = binding(index), o = set({ topK, namespace, filter, returnValues: returnValues || null, returnMetadata });
    const r = await (vector ? b.query(vector, o) : b.queryById(id, o));
    return [r.matches.map((m) => [m.score, ...vectorValues(m)])];
  },
  "vectorize.get": async (_, [index, ids]) => [(await binding(index).getByIds(ids)).map(vectorValues)],
  "vectorize.describe": async (_, [index]) => {
    const d = await binding(index).describe();
    const at = d.processedUpToDatetime, ms = at === null || at === undefined ? 0 : new Date(at).getTime();
    return [d.vectorCount ?? d.vectorsCount ?? 0, d.dimensions ?? d.config?.dimensions ?? 0, String(d.processedUpToMutation ?? ""), ms];
  },

  // ---- Workflows
  "workflow.create": async (_, [workflow, id, params]) => [(await binding(workflow).create({ ...set({ id }), ...(params === null ? {} : { params }) })).id],
  "workflow.do": async (_, [workflow, id, method, argument]) => {
    const instance = await binding(workflow).get(id);
    const r = await (argument === null ? instance[method]() : instance[method](argument));
    return [r === undefined ? null : json(r)];
  },
});

Object.assign(syncOperations, {
  // ---- Analytics Engine
  "analytics.write": (_, [dataset, indexes, blobs, doubles]) => { binding(dataset).writeDataPoint({ indexes, blobs, doubles }); },
});

// What the answer of a model says about itself that anybody asks for, as headOf has it. There are some twenty headers more.
const TOLD = ["content-type", "cf-aig-log-id", "cf-aig-cache-status", "cf-ai-req-id"];

function told(r) {
  let head = "";
  for (const k of TOLD) {
    const v = r.headers.get(k);
    if (v !== null) head += k + "\0" + v + "\n";
  }
  return head;
}

const SMALL = 64 << 10; // an object of this size comes with its head

const object = (o) => [o.key, o.size, o.etag, o.version ?? "", o.uploaded.getTime(), o.httpMetadata?.contentType ?? "", json(o.customMetadata ?? {})];

const utf8 = new TextDecoder();

// A JSON document goes as text: nobody parses it on the way, and every kind of consumer gets it unchanged.
function message(body, delaySeconds, type) {
  const options = set({ delaySeconds });
  if (type === "bytes") return [body, { contentType: "bytes", ...options }];
  if (type === "json") return [JSON.parse(utf8.decode(body)), { contentType: "json", ...options }];
  return [utf8.decode(body), { contentType: "text", ...options }];
}

function metrics(r) {
  const m = r?.metadata?.metrics;
  return [m?.backlogCount ?? -1, m?.backlogBytes ?? -1, time(m?.oldestMessageTimestamp)];
}

const time = (t) => (t === null || t === undefined ? 0 : new Date(t).getTime());

const vectorValues = (v) => [v.id, v.namespace ?? "", v.values ? new Float32Array(v.values) : null, v.metadata == null ? null : json(v.metadata)];
