// Miniflare's engine for Workflows keeps each run in a database of its own, and after a restart loads a run only when
// somebody asks for it: one that slept would sleep for ever. Here is which runs to ask for.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { deserialize } from "node:v8";

// The engine's numbers for states that go on: queued, running, waiting. (paused is the user's wish, the rest are ends.)
const unfinished = new Set([0, 1, 7]);

/** unfinishedRuns returns the ids of the runs to wake, by workflow: pairs [name, ids]. */
export function unfinishedRuns(persist) {
  const root = join(persist, "workflows");
  if (!existsSync(root)) return [];
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => [name.replace(/^miniflare-workflows-/, ""), runsOf(join(root, name))])
    .filter(([, ids]) => ids.length > 0);
}

function runsOf(folder) {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".sqlite") && file !== "metadata.sqlite")
    .map((file) => unfinishedRun(join(folder, file)))
    .filter((id) => id !== undefined);
}

// unfinishedRun returns the id of the run in a database, if it is to go on.
function unfinishedRun(file) {
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    const get = (key) => {
      const row = db.prepare("SELECT value FROM _cf_KV WHERE key = ?").get(key);
      return row && deserialize(row.value);
    };
    return unfinished.has(get("ENGINE_STATUS") ?? 0) ? get("INSTANCE_METADATA")?.instance.id : undefined;
  } finally {
    db.close();
  }
}
