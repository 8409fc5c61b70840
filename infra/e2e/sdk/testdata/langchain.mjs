// The npm package @langchain/openai, with base URL and key alone.
import assert from "node:assert/strict";
import { AIMessage, HumanMessage, ToolMessage } from "@langchain/core/messages";
import { ChatOpenAI, OpenAIEmbeddings } from "@langchain/openai";

const { url, keys } = JSON.parse(process.argv[2]);
const chat = (model, tenant = "acme", apiKey = keys[tenant]) => new ChatOpenAI({ model, apiKey, configuration: { baseURL: url }, temperature: 0, maxRetries: 0 });
const says = (script) => new HumanMessage(JSON.stringify({ script }));
const clock = {
  type: "function",
  function: { name: "clock", description: "Tells the time.", parameters: { type: "object", properties: { zone: { type: "string" } } } },
};

for (const model of ["default", "@local/script-openai"]) {
  const whole = await chat(model).invoke([says({ tokens: ["Water ", "flows."], usage: { prompt: 9, completion: 2 } })]);
  assert.equal(whole.content, "Water flows.");
  assert.equal(whole.usage_metadata.total_tokens, 11);

  let all;
  for await (const chunk of await chat(model).stream([says({ tokens: ["Wa", "ter ", "é😀"], delayMs: 5, usage: { prompt: 9, completion: 3 } })])) {
    all = all ? all.concat(chunk) : chunk;
  }
  assert.equal(all.content, "Water é😀");
  assert.equal(all.usage_metadata.total_tokens, 12);

  // Tools, there and back, whole and streamed.
  const question = says([{ toolCalls: [{ id: "c1", name: "clock", arguments: { zone: "UTC" } }] }, { tokens: ["It is noon."] }]);
  const withTools = chat(model).bindTools([clock]);
  const call = await withTools.invoke([question]);
  assert.deepEqual(call.tool_calls.map((c) => [c.name, c.args]), [["clock", { zone: "UTC" }]]);
  let streamed;
  for await (const chunk of await withTools.stream([question])) streamed = streamed ? streamed.concat(chunk) : chunk;
  assert.deepEqual(streamed.tool_calls[0].args, { zone: "UTC" });
  const answer = await withTools.invoke([question, call, new ToolMessage({ content: "noon", tool_call_id: call.tool_calls[0].id })]);
  assert.ok(AIMessage.isInstance(answer));
  assert.equal(answer.content, "It is noon.");

  // JSON mode.
  const place = await chat(model)
    .withStructuredOutput({ title: "place", type: "object", properties: { city: { type: "string" } } }, { method: "jsonSchema" })
    .invoke([says({ tokens: ['{"city":', '"Funchal"}'] })]);
  assert.deepEqual(place, { city: "Funchal" });

  // A stream that breaks off.
  let got = "";
  await assert.rejects(async () => {
    for await (const chunk of await chat(model).stream([says({ tokens: ["a", "b", "c"], delayMs: 5, cutAfter: 2 })])) got += chunk.content;
  });
  assert.equal(got, "ab");

  // Leaving in the middle.
  const leave = new AbortController();
  await assert.rejects(async () => {
    for await (const _ of await chat(model).stream([says({ tokens: ["a", "b", "c", "d", "e", "f"], delayMs: 200 })], { signal: leave.signal })) leave.abort();
  });
}

const vectors = await new OpenAIEmbeddings({ model: "default", apiKey: keys.acme, configuration: { baseURL: url } }).embedDocuments(["water", "fire"]);
assert.deepEqual(vectors.map((v) => v.length), [1024, 1024]);

const fails = (promise, status) =>
  assert.rejects(promise, (e) => {
    assert.equal(e.status ?? e.cause?.status, status, String(e));
    return true;
  });
const hello = [says({ tokens: ["hi"] })];
await fails(chat("default", "acme", "sk-nonsense").invoke(hello), 401);
await fails(chat("gpt-4o").invoke(hello), 404);
await fails(chat("@local/script", "globex").invoke(hello), 403);
await fails(chat("default", "poor").invoke(hello), 429);
