// node rows.mjs <folder> <table>: every row of that table in the databases below the folder, as JSON, by database. It
// reads what the Durable Objects have stored, beside the running platform.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

const [folder, table] = process.argv.slice(2);
const rows = {};
for (const file of readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".sqlite"))) {
  const db = new DatabaseSync(join(folder, file), { readOnly: true });
  const has = db.prepare("SELECT count(*) AS n FROM sqlite_master WHERE type = 'table' AND name = ?").get(table).n > 0;
  if (has) rows[file] = db.prepare(`SELECT * FROM ${table}`).all().map((row) => Object.fromEntries(
    Object.entries(row).map(([column, value]) => [column, value instanceof Uint8Array ? Buffer.from(value).toString("utf8") : value])));
  db.close();
}
process.stdout.write(JSON.stringify(rows));
