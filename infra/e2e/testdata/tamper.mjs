// node tamper.mjs <folder> <tenant> <sql>: runs a statement in the database of a tenant's object of a class, whose folder is given. The platform
// must not run: this is what somebody does who has the disk.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

const [folder, tenant, sql] = process.argv.slice(2);
let changed = 0;
for (const file of readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".sqlite"))) {
  const db = new DatabaseSync(join(folder, file));
  const rows = db.prepare("SELECT count(*) AS n FROM sqlite_master WHERE type = 'table' AND name = 'rows'").get().n > 0;
  const owner = rows && db.prepare("SELECT CAST(v AS TEXT) AS v FROM rows WHERE k = 'tenant'").get();
  if (owner && owner.v === tenant) changed += Number(db.prepare(sql).run().changes);
  db.close();
}
process.stdout.write(String(changed));
