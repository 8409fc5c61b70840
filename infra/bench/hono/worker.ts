// The benchmark's route in TypeScript on Hono.
import { Hono } from "hono";

const app = new Hono();
app.post("/event", async (c) => {
  const { text } = await c.req.json<{ text: string }>();
  return c.json({
    specversion: "1.0",
    id: crypto.randomUUID(),
    source: "/tenants/acme/api",
    type: "dev.levada.bench.asked.v1",
    datacontenttype: "application/json",
    time: new Date().toISOString(),
    data: { text },
  });
});
export default app;
