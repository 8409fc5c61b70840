// The Worker through which the platform's parent reaches the queues: POST /<queue>/<method> with the arguments as a JSON
// array calls a method of the queue's binding; POST /wake makes all of them go on after a restart.
export default {
  async fetch(request, env) {
    const [, queue, method] = new URL(request.url).pathname.split("/");
    try {
      if (queue === "wake") {
        await Promise.all(Object.values(env).map((binding) => binding.wake()));
        return Response.json(null);
      }
      return Response.json((await env[queue][method](...(await request.json()))) ?? null);
    } catch (e) {
      return new Response(String(e), { status: 500 });
    }
  },
};
