// node tamper.mjs <folder> <tenant> <sql>...: runs statements in the database of a tenant's object of a class, whose folder is given, and says how
// many rows they changed; or, for the tenant "", in that of each bucket below the folder, and how many there are. The platform must not run: this is what
// somebody does who has the disk.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

const [folder, tenant, ...statements] = process.argv.slice(2);
let changed = 0;
for (const file of readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".sqlite"))) {
  const db = new DatabaseSync(join(folder, file));
  const bucket = db.prepare("SELECT count(*) AS n FROM sqlite_master WHERE type = 'table' AND name = '_mf_objects'").get().n > 0;
  if (tenant === "" && bucket) for (const sql of statements) db.exec(sql), changed++;
  const rows = db.prepare("SELECT count(*) AS n FROM sqlite_master WHERE type = 'table' AND name = 'rows'").get().n > 0;
  const owner = rows && db.prepare("SELECT CAST(v AS TEXT) AS v FROM rows WHERE k = 'tenant'").get();
  if (tenant !== "" && owner && owner.v === tenant) for (const sql of statements) changed += Number(db.prepare(sql).run().changes);
  db.close();
}
process.stdout.write(String(changed));
