// The default export of a role's entry module.
import { instance, runEvent } from "./host.mjs";
import { serveWorker } from "./http.mjs";
import { Task } from "./task.mjs";
import { consume } from "./queue.mjs";

/** worker returns { fetch, queue, scheduled }, all answered by Go. */
export function worker() {
  return {
    fetch: (request, env, ctx) => serveWorker(request, ctx),
    queue: (batch, env, ctx) => consume(batch, ctx),
    async scheduled(event, env, ctx) {
      const { code, values } = await runEvent(new Task(instance(), 0, ctx, null), ["scheduled", event.cron, event.scheduledTime]);
      if (code) throw new Error(values[0]);
    },
  };
}
