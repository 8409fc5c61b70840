// The SQLite database of a Durable Object, called synchronously from Go.
import { operations, syncOperations, MANUAL } from "./ops.mjs";
import { stats } from "./host.mjs";

// Go numbers the statements that recur, so their text crosses once.
const statements = new WeakMap(); // instance -> texts

function run(task, args, frame) {
  const [id, text] = args;
  let known = statements.get(task.inst);
  if (!known) statements.set(task.inst, (known = []));
  if (text !== null && id > 0) known[id] = text;
  args.splice(0, 2);
  task.inst.wrote = true;
  const cursor = database(task).exec(text ?? known[id], ...args);
  const at = frame.n;
  frame.add(0).add(0); // written, columns
  let columns = 0;
  for (const row of cursor.raw()) {
    columns = row.length;
    for (let i = 0; i < columns; i++) frame.add(row[i]);
  }
  stats.rowsWritten += cursor.rowsWritten;
  frame.view.setInt32(at + 1, cursor.rowsWritten, true);
  frame.view.setInt32(at + 6, columns, true);
}

function database(task) {
  const o = task.extra?.object;
  if (!o) throw new Error("the event is not one of a Durable Object");
  return o.ctx.storage.sql;
}

const COMMIT = 1;
const rollback = Symbol("rollback");

// A transaction is one turn of Go inside transactionSync. Go cannot be re-entered from an import,
// so the goroutine parks first, and this runs with no Go frame on the stack. Within the turn no task
// is at home (inst.fence), so only the goroutine that owns the transaction gets at the database;
// everybody else hops, that is, waits until the turn is over. If the owner waits for anything, its
// turn ends without a verdict, and the transaction is rolled back.
operations["sql.transaction"] = (task, _, op) => {
  queueMicrotask(() => {
    const inst = task.inst;
    inst.verify();
    if (task.ended || inst.dead) return;
    const t = (inst.transaction = { op, verdict: 0 });
    task.outcome = undefined;
    inst.fence = true;
    try {
      task.extra.object.ctx.storage.transactionSync(() => {
        inst.settle(task, op, [op]);
        if (t.verdict !== COMMIT) throw rollback;
      });
    } catch (e) {
      task.outcome = e;
    } finally {
      inst.fence = false;
      inst.transaction = null;
    }
  });
  return MANUAL;
};

Object.assign(syncOperations, {
  sql(task, args, frame) { run(task, args, frame); },

  "sql.in"(task, args, frame) {
    open(task, args.shift());
    run(task, args, frame);
  },

  "sql.end"(task, [op, commit]) {
    open(task, op).verdict = commit ? COMMIT : 2;
  },

  /** outcome tells whether the commit itself failed. */
  "sql.outcome"(task) {
    const e = task.outcome;
    task.outcome = undefined;
    if (e !== undefined && e !== rollback) throw e;
  },

  "sql.size"(task, _, frame) { frame.add(database(task).databaseSize); },
});

function open(task, op) {
  const t = task.inst.transaction;
  if (!t || t.op !== op || t.verdict) {
    const e = new Error("the transaction is over: its function waited for something, or it was used after the end");
    e.name = "TransactionOver";
    throw e;
  }
  return t;
}
