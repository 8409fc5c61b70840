// A gateway in TypeScript as small as it can be. At /plain/... it hands request and answer on as they are; at /v1/... it
// does the least that a gateway which charges for tokens has to do: it checks the key, reads the request, and reads the
// usage out of the answer's stream.
interface Env {
  UPSTREAM: Fetcher;
  KEYS: string; // SHA-256 of the keys that are let in, in hexadecimal, by commas
}
interface Fetcher { fetch(input: string, init?: RequestInit): Promise<Response> }

const url = "http://upstream/v1/chat/completions";
let tokens = 0;

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    if (new URL(request.url).pathname.startsWith("/plain/")) {
      return env.UPSTREAM.fetch(url, { method: "POST", headers: request.headers, body: request.body });
    }
    if (!(await known(request, env))) return Response.json({ error: { message: "the API key is not known" } }, { status: 401 });
    const order = (await request.json()) as { model?: string; messages?: unknown[]; stream?: boolean };
    if (!order.model || !Array.isArray(order.messages)) return Response.json({ error: { message: "model and messages are required" } }, { status: 400 });
    const answer = await env.UPSTREAM.fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ ...order, stream_options: order.stream ? { include_usage: true } : undefined }),
    });
    if (!order.stream || !answer.body) {
      const whole = (await answer.json()) as { usage?: { total_tokens: number } };
      tokens += whole.usage?.total_tokens ?? 0;
      return Response.json(whole, { status: answer.status });
    }
    return new Response(answer.body.pipeThrough(counted()), answer);
  },
};

async function known(request: Request, env: Env): Promise<boolean> {
  const key = request.headers.get("authorization")?.replace(/^Bearer /, "") ?? "";
  const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(key)));
  return env.KEYS.split(",").includes(Array.from(sum, (b) => b.toString(16).padStart(2, "0")).join(""));
}

// counted passes a stream of server-sent events on and adds up the tokens that it tells of.
function counted(): TransformStream<Uint8Array, Uint8Array> {
  const text = new TextDecoder();
  let rest = "";
  return new TransformStream({
    transform(chunk, controller) {
      controller.enqueue(chunk);
      const lines = (rest + text.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        if (!line.startsWith("data: {")) continue;
        const event = JSON.parse(line.slice(6)) as { usage?: { total_tokens: number } };
        tokens += event.usage?.total_tokens ?? 0;
      }
    },
  });
}
