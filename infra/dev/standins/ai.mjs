import { RpcTarget, WorkerEntrypoint } from "cloudflare:workers";

// AI is env.AI. It sends what the platform's own binding sends, so the Go server
// behind it sees production's wire format. env.LOCALAI is that server.
//
// One option of the platform is missing: signal, because workerd does not send an
// AbortSignal between Workers. Cancelling the stream ends a call here too.
//
// https://developers.cloudflare.com/workers-ai/configuration/bindings/
export class AI extends WorkerEntrypoint {
  // run answers the model's JSON, or a stream of server-sent events or of audio, or
  // with returnRawResponse the Response, which then also carries errors.
  async run(model, inputs, options = {}) {
    const { prefix, extraHeaders, sessionOptions, ...sent } = options;
    const response = await this.env.LOCALAI.fetch(`http://localai${sent.gateway?.id ? "/ai-gateway" : ""}/run?version=3`, {
      method: "POST",
      body: JSON.stringify({ inputs, options: sent }),
      headers: {
        ...sessionOptions?.extraHeaders,
        ...extraHeaders,
        "content-type": "application/json",
        "cf-consn-sdk-version": "2.0.0",
        "cf-consn-model-id": `${prefix ? `${prefix}:` : ""}${model}`,
      },
    });
    if (options.returnRawResponse) return response;
    if (!response.ok || !response.body) throw await upstreamError(response);
    return response.headers.get("content-type") === "application/json" ? response.json() : response.body;
  }

  gateway(id) {
    return new Gateway(this.env.LOCALAI, id);
  }
}

// Gateway is env.AI.gateway(id).
class Gateway extends RpcTarget {
  #server;
  #path;

  constructor(server, id) {
    super();
    this.#server = server;
    this.#path = `http://localai/ai-gateway/gateways/${encodeURIComponent(id)}`;
  }

  async getUrl(provider = "universal") {
    const { result } = await this.#ask(`/url/${encodeURIComponent(provider)}`);
    return result.url;
  }

  async getLog(id) {
    const { result } = await this.#ask(`/logs/${encodeURIComponent(id)}`);
    return { ...result, created_at: new Date(result.created_at) };
  }

  async patchLog(id, data) {
    await this.#ask(`/logs/${encodeURIComponent(id)}`, {
      method: "PATCH",
      body: JSON.stringify(data),
      headers: { "content-type": "application/json" },
    });
  }

  async #ask(path, init) {
    const response = await this.#server.fetch(this.#path + path, init);
    if (response.ok) return response.json();
    const error = await upstreamError(response);
    error.name = response.status === 404 ? "AiGatewayLogNotFound" : "AiGatewayInternalError";
    throw error;
  }
}

// upstreamError reads an error as the platform's binding does.
async function upstreamError(response) {
  const text = await response.text();
  let body;
  try {
    body = JSON.parse(text);
  } catch {
    return named(text, "InferenceUpstreamError");
  }
  if (body.internalCode) return named(`${body.internalCode}: ${body.description}`, body.name ?? "InferenceUpstreamError");
  const [first] = body.errors ?? [];
  return named(first ? `${first.code}: ${first.message}` : text, "InferenceUpstreamError");
}

function named(message, name) {
  return Object.assign(new Error(message), { name });
}
