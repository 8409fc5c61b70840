// How handlers and queues do, of the text that GET /metrics answers: https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format

const line = /^(levada_(?:events_total|dead_letters_total|event_wait_seconds_(?:sum|count|bucket)|batch_duration_seconds_(?:sum|count)))\{(.*)\} (\S+)/;
const label = /(\w+)="((?:[^"\\]|\\.)*)"/g;

/**
 * handlersOf answers {handlers, queues}, by their names: {name, events, failed, waitMs, waitMost, batchMs} of each handler, and {name, dead} of each queue in which
 * something was given up. A queue has several handlers, and what is given up may have none.
 */
export function handlersOf(text) {
  const all = new Map(), queues = [];
  for (const written of text.split("\n")) {
    const found = line.exec(written);
    if (!found) continue;
    const labels = Object.fromEntries([...found[2].matchAll(label)].map(([, name, value]) => [name, value]));
    const value = Number(found[3]);
    if (found[1] === "levada_dead_letters_total") {
      queues.push({ name: labels.queue, dead: value });
      continue;
    }
    if (!all.has(labels.handler)) all.set(labels.handler, { events: 0, failed: 0, buckets: [] });
    const h = all.get(labels.handler);
    switch (found[1].replace("levada_", "")) {
      case "events_total":
        h.events += value;
        if (labels.outcome === "failed") h.failed += value;
        break;
      case "event_wait_seconds_sum": h.waited = value; break;
      case "event_wait_seconds_count": h.waits = value; break;
      case "event_wait_seconds_bucket": h.buckets.push([labels.le === "+Inf" ? Infinity : Number(labels.le), value]); break;
      case "batch_duration_seconds_sum": h.took = value; break;
      case "batch_duration_seconds_count": h.batches = value; break;
    }
  }
  const byName = (a, b) => a.name.localeCompare(b.name);
  const handlers = [...all].map(([name, h]) => ({
    name, events: h.events, failed: h.failed,
    waitMs: h.waits ? (1000 * h.waited) / h.waits : null,
    waitMost: h.waits ? 1000 * h.buckets.sort(([a], [b]) => a - b).find(([, n]) => n >= 0.95 * h.waits)[0] : null,
    batchMs: h.batches ? (1000 * h.took) / h.batches : null,
  }));
  return { handlers: handlers.sort(byName), queues: queues.sort(byName) };
}
