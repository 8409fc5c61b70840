// The Worker through which the platform's parent reaches what is bound to Workers only. It takes POST /<kind>/<name>/<method>
// with the arguments as a JSON array, from whoever knows the secret:
//
//   queue/<queue>/<method>          calls a method of the queue's binding
//   kv/<worker>:<binding>/<method>  calls a method of a namespace that the Worker has
//   r2/<worker>:<binding>/<method>  the same of a bucket
//   meter/<worker>/read             what the Worker's runtime has counted
//   meter/<worker>/points           what the Worker has written to datasets
//   meter/<worker>/disturb, struck  how its calls of the platform go wrong, and how many did
//   cron/<worker>/<schedule>        runs the Worker's scheduled handler, for a time in milliseconds
//   workflow/<workflow>/wake        makes the runs whose ids are the arguments go on after a restart
//   wake                            makes all queues go on after a restart
export default {
  async fetch(request, env) {
    if (request.headers.get("authorization") !== env.secret) return new Response("denied", { status: 403 });
    const [, kind, name, method] = new URL(request.url).pathname.split("/").map(decodeURIComponent);
    const args = await request.json();
    try {
      return Response.json((await call(env, kind, name, method, args)) ?? null);
    } catch (e) {
      return new Response(String(e), { status: 500 });
    }
  },
};

function call(env, kind, name, method, args) {
  const binding = env[`${kind}:${name}`];
  switch (kind) {
    case "wake":
      return wakeQueues(env);
    case "workflow":
      return wakeRuns(binding, args);
    case "cron":
      return binding.scheduled({ cron: method, scheduledTime: new Date(args[0]) });
    case "r2":
      return r2(binding, method, args);
    default:
      return binding[method](...args);
  }
}

async function wakeQueues(env) {
  const queues = Object.keys(env).filter((binding) => binding.startsWith("queue:"));
  await Promise.all(queues.map((queue) => env[queue].wake()));
}

// wakeRuns sends each run an event that it does not wait for: the engine then loads the run, and its sleeps are on again.
async function wakeRuns(workflow, ids) {
  for (const id of ids) {
    const run = await workflow.get(id);
    await run.sendEvent({ type: "dev.levada.wake", payload: null });
  }
}

// r2 answers what of a bucket's objects is JSON.
async function r2(bucket, method, args) {
  const result = await bucket[method](...args);
  if (method === "get") return result?.text();
  return method === "list" ? { ...result, objects: result.objects.map(({ key }) => ({ key })) } : result;
}
