// What makes a Worker's calls of the platform go wrong: a module of every Go Worker here, of none that is deployed. It stands between the
// operations of the glue (ops.mjs, bindings.mjs) and Go, so that Go sees what it sees when a dependency fails, and it does nothing until it
// is told to. What it is told is in package dev, Disturbance.
import "./glue/index.mjs"; // every operation is there from now on
import { operations, syncOperations } from "./glue/ops.mjs";

const POLL = 10; // ms

// What is asked over the network. The rest lies in the isolate, or is the runtime's own.
const outside = /^(kv|r2|queue|ai|vectorize|workflow|object\.call|alarm|fetch)(\.|$)/;

const utf8 = new TextDecoder();

let disturbances = [];

/** disturb takes the place of what was told before. Who hangs goes on. */
export function disturb(next) {
  disturbances = next.map((d) => ({ ...d, left: d.times || Infinity, struck: 0 }));
}

/** struck is how many calls each has met. */
export const struck = () => disturbances.map((d) => d.struck);

/** install is called by the entry module with what it exports: the classes, by their names. */
export function install(classes) {
  const classOf = (task) => Object.keys(classes).find((name) => classes[name] === task.extra?.object?.constructor);
  for (const name of Object.keys(operations).filter((name) => outside.test(name))) {
    const run = operations[name];
    operations[name] = (task, args, op) => {
      const d = disturbances.length ? meets(name, args) : null;
      return d ? disturbed(d, () => run(task, args, op)) : run(task, args, op);
    };
  }
  // The database of an object: the binding is the object's class.
  for (const name of ["sql", "sql.in"]) {
    const run = syncOperations[name];
    syncOperations[name] = (task, args, frame) => {
      const d = disturbances.length ? meets("sql", [classOf(task), task.extra?.object?.ctx.id.name]) : null;
      if (d && d.mood !== "loses") throw error(d);
      run(task, args, frame);
      if (d) throw error(d);
    };
  }
}

// meets finds the disturbance of a call. What a call is on is the key, the name of the object, or the model.
function meets(name, args) {
  const [binding, on] = args;
  const d = disturbances.find((d) => d.left > 0 && (d.calls === name || name.startsWith(d.calls + ".")) &&
    (!d.binding || d.binding === binding) && (!d.on || String(on ?? "").startsWith(d.on)) && (!d.tenant || isOf(d.tenant, args)));
  if (d) d.left--, d.struck++;
  return d;
}

// isOf reports whether a call is a tenant's, by what it is on or by what is sent.
function isOf(tenant, value) {
  if (typeof value === "string") return value === tenant || `${value}/`.startsWith(`t/${tenant}/`);
  if (value instanceof Uint8Array) return utf8.decode(value).includes(JSON.stringify(tenant));
  if (ArrayBuffer.isView(value)) return false; // numbers of a vector
  return value !== null && typeof value === "object" && Object.values(value).some((v) => isOf(tenant, v));
}

async function disturbed(d, run) {
  if (d.mood === "hangs") {
    while (disturbances.includes(d)) await new Promise((resolve) => setTimeout(resolve, POLL));
    return run();
  }
  if (d.mood === "loses") await run();
  throw error(d);
}

const error = ({ error: { message, ...properties } }) => Object.assign(new Error(message), properties);
