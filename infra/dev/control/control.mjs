// The Worker through which the platform's parent reaches what is bound to Workers only. It takes POST /<kind>/<name>/<method>
// with the arguments as a JSON array:
//
//   queue/<queue>/<method>     calls a method of the queue's binding
//   workflow/<workflow>/wake   makes the runs whose ids are the arguments go on after a restart
//   wake                       makes all queues go on after a restart
export default {
  async fetch(request, env) {
    const [, kind, name, method] = new URL(request.url).pathname.split("/");
    const args = await request.json();
    try {
      return Response.json((await call(env, kind, name, method, args)) ?? null);
    } catch (e) {
      return new Response(String(e), { status: 500 });
    }
  },
};

async function call(env, kind, name, method, args) {
  if (kind === "wake") {
    const queues = Object.keys(env).filter((binding) => binding.startsWith("queue:"));
    await Promise.all(queues.map((binding) => env[binding].wake()));
  } else if (kind === "workflow") {
    for (const id of args) await wake(env[`workflow:${name}`], id);
  } else {
    return env[`queue:${name}`][method](...args);
  }
}

// wake sends an event that no run waits for: the engine then loads the run, and its sleeps are on again.
async function wake(workflow, id) {
  const run = await workflow.get(id);
  await run.sendEvent({ type: "dev.levada.wake", payload: null });
}
