// How handlers do, of the text that GET /metrics answers: https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format

const line = /^(levada_(?:events_total|dead_letters_total|event_wait_seconds_(?:sum|count|bucket)|batch_duration_seconds_(?:sum|count)))\{(.*)\} (\S+)/;
const label = /(\w+)="((?:[^"\\]|\\.)*)"/g;

/** handlersOf answers {name, events, failed, dead, waitMs, waitMost, batchMs} of each, by their names. */
export function handlersOf(text) {
  const all = new Map();
  for (const written of text.split("\n")) {
    const found = line.exec(written);
    if (!found) continue;
    const labels = Object.fromEntries([...found[2].matchAll(label)].map(([, name, value]) => [name, value]));
    const value = Number(found[3]);
    if (!labels.handler) continue;
    if (!all.has(labels.handler)) all.set(labels.handler, { events: 0, failed: 0, dead: 0, buckets: [] });
    const h = all.get(labels.handler);
    switch (found[1].replace("levada_", "")) {
      case "events_total":
        h.events += value;
        if (labels.outcome === "failed") h.failed += value;
        break;
      case "dead_letters_total": h.dead += value; break;
      case "event_wait_seconds_sum": h.waited = value; break;
      case "event_wait_seconds_count": h.waits = value; break;
      case "event_wait_seconds_bucket": h.buckets.push([labels.le === "+Inf" ? Infinity : Number(labels.le), value]); break;
      case "batch_duration_seconds_sum": h.took = value; break;
      case "batch_duration_seconds_count": h.batches = value; break;
    }
  }
  return [...all].map(([name, h]) => ({
    name, events: h.events, failed: h.failed, dead: h.dead,
    waitMs: h.waits ? (1000 * h.waited) / h.waits : null,
    waitMost: h.waits ? 1000 * h.buckets.sort(([a], [b]) => a - b).find(([, n]) => n >= 0.95 * h.waits)[0] : null,
    batchMs: h.batches ? (1000 * h.took) / h.batches : null,
  })).sort((a, b) => a.name.localeCompare(b.name));
}
