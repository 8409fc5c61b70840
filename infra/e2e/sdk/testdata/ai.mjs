// The npm packages ai and @ai-sdk/openai-compatible, with base URL and key alone.
import assert from "node:assert/strict";
import { APICallError, RetryError, embedMany, generateText, jsonSchema, Output, stepCountIs, streamText, tool } from "ai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";

globalThis.AI_SDK_LOG_WARNINGS = false;
const { url, keys } = JSON.parse(process.argv[2]);
const provider = (tenant, apiKey = keys[tenant]) =>
  createOpenAICompatible({ name: "levada", baseURL: url, apiKey, includeUsage: true, supportsStructuredOutputs: true });
const prompt = (script) => JSON.stringify({ script });
const acme = provider("acme");
const schema = (properties) => jsonSchema({ type: "object", properties, required: Object.keys(properties), additionalProperties: false });

for (const id of ["default", "@local/script-openai"]) {
  const model = acme(id);

  const whole = await generateText({ model, prompt: prompt({ tokens: ["Water ", "flows."], usage: { prompt: 9, completion: 2 } }), temperature: 0.5, maxOutputTokens: 50, seed: 1 });
  assert.equal(whole.text, "Water flows.");
  assert.equal(whole.usage.totalTokens, 11);
  assert.equal(whole.finishReason, "stop");

  const stream = streamText({ model, prompt: prompt({ tokens: ["Wa", "ter ", "é😀"], delayMs: 5, usage: { prompt: 9, completion: 3 } }) });
  let said = "";
  for await (const text of stream.textStream) said += text;
  assert.equal(said, "Water é😀");
  assert.equal((await stream.usage).totalTokens, 12);

  // Tools, there and back.
  const asked = [];
  const tools = {
    clock: tool({ description: "Tells the time.", inputSchema: schema({ zone: { type: "string" } }), execute: async ({ zone }) => (asked.push(zone), "noon") }),
  };
  const turns = prompt([{ toolCalls: [{ id: "c1", name: "clock", arguments: { zone: "UTC" } }] }, { tokens: ["It is noon."] }]);
  assert.equal((await generateText({ model, prompt: turns, tools, stopWhen: stepCountIs(3) })).text, "It is noon.");
  assert.equal(await streamText({ model, prompt: turns, tools, stopWhen: stepCountIs(3) }).text, "It is noon.");
  assert.deepEqual(asked, ["UTC", "UTC"]);

  // JSON mode.
  const place = await generateText({ model, prompt: prompt({ tokens: ['{"city":', '"Funchal"}'] }), output: Output.object({ schema: schema({ city: { type: "string" } }) }) });
  assert.deepEqual(place.output, { city: "Funchal" });

  // A stream that breaks off.
  const errors = [];
  const cut = streamText({ model, prompt: prompt({ tokens: ["a", "b", "c"], delayMs: 5, cutAfter: 2 }), onError: ({ error }) => errors.push(error) });
  let got = "";
  for await (const part of cut.fullStream) if (part.type === "text-delta") got += part.text;
  assert.equal(got, "ab");
  assert.equal(errors.length, 1);

  // Leaving in the middle.
  const leave = new AbortController();
  const left = streamText({ model, prompt: prompt({ tokens: ["a", "b", "c", "d", "e", "f"], delayMs: 200 }), abortSignal: leave.signal });
  const parts = [];
  for await (const part of left.fullStream) {
    parts.push(part.type);
    if (part.type === "text-delta") leave.abort();
  }
  assert.ok(parts.includes("abort"), parts.join());
}

const { embeddings } = await embedMany({ model: acme.embeddingModel("default"), values: ["water", "fire"] });
assert.deepEqual(embeddings.map((e) => e.length), [1024, 1024]);

const fails = (promise, status) =>
  assert.rejects(promise, (e) => {
    const cause = RetryError.isInstance(e) ? e.lastError : e;
    assert.ok(APICallError.isInstance(cause), String(e));
    assert.equal(cause.statusCode, status);
    return true;
  });
const ask = (p, id = "default") => generateText({ model: p(id), prompt: prompt({ tokens: ["hi"] }), maxRetries: 0 });
await fails(ask(provider("acme", "sk-nonsense")), 401);
await fails(ask(acme, "gpt-4o"), 404);
await fails(ask(provider("globex"), "@local/script"), 403);
await fails(ask(provider("poor")), 429);
