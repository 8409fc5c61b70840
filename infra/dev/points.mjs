// What a Worker writes to datasets of Analytics Engine, since Miniflare's own keep nothing: a module of every Go Worker here, of none that is
// deployed. It stands between the operation of the glue (bindings.mjs) and the binding, and sees what the binding is given.
import "./glue/index.mjs"; // every operation is there from now on
import { syncOperations } from "./glue/ops.mjs";

const MOST = 10_000; // the oldest go

const all = [];

/** points are the last that were written, the oldest first. */
export const points = () => all;

const write = syncOperations["analytics.write"];
syncOperations["analytics.write"] = (task, args, frame) => {
  write(task, args, frame); // which throws where there is no such binding
  const [dataset, indexes, blobs, doubles] = args;
  if (all.push({ dataset, indexes, blobs, doubles }) > MOST) all.shift();
};
