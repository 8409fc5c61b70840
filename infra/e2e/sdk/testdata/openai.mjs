// The npm package openai, with base URL and key alone.
import assert from "node:assert/strict";
import OpenAI from "openai";

const { url, keys } = JSON.parse(process.argv[2]);
const client = (tenant, more) => new OpenAI({ baseURL: url, apiKey: keys[tenant], ...more });
const asks = (model, script, more) => ({ model, messages: [{ role: "user", content: JSON.stringify({ script }) }], ...more });
const clock = {
  type: "function",
  function: { name: "clock", description: "Tells the time.", parameters: { type: "object", properties: { zone: { type: "string" } } } },
};
const acme = client("acme");

for (const model of ["default", "@local/script-openai"]) {
  // A chat.
  const whole = await acme.chat.completions.create(asks(model, { tokens: ["Water ", "flows."], usage: { prompt: 9, completion: 2 } }));
  assert.equal(whole.choices[0].message.content, "Water flows.");
  assert.equal(whole.usage.total_tokens, 11);
  assert.match(whole._request_id, /^[0-9a-f-]{36}$/);

  // A stream, with usage.
  const stream = await acme.chat.completions.create(
    asks(model, { tokens: ["Wa", "ter ", "é😀"], delayMs: 5, usage: { prompt: 9, completion: 3 } }, { stream: true, stream_options: { include_usage: true } }),
  );
  let said = "";
  let usage;
  for await (const chunk of stream) {
    said += chunk.choices[0]?.delta?.content ?? "";
    usage = chunk.usage ?? usage;
  }
  assert.equal(said, "Water é😀");
  assert.equal(usage.total_tokens, 12);

  // Tools, there and back, by the package's own loop.
  const turns = [{ toolCalls: [{ id: "c1", name: "clock", arguments: { zone: "UTC" } }] }, { tokens: ["It is ", "noon."] }];
  const asked = [];
  const tools = [{ type: "function", function: { ...clock.function, parse: JSON.parse, function: ({ zone }) => (asked.push(zone), "noon") } }];
  assert.equal(await acme.chat.completions.runTools(asks(model, turns, { tools })).finalContent(), "It is noon.");
  assert.equal(await acme.chat.completions.runTools(asks(model, turns, { tools, stream: true })).finalContent(), "It is noon.");
  assert.deepEqual(asked, ["UTC", "UTC"]);

  // JSON mode.
  const json = await acme.chat.completions.parse(
    asks(model, { tokens: ['{"city":', '"Funchal"}'] }, {
      response_format: { type: "json_schema", json_schema: { name: "place", strict: true, schema: { type: "object", properties: { city: { type: "string" } } } } },
    }),
  );
  assert.deepEqual(JSON.parse(json.choices[0].message.content), { city: "Funchal" });

  // A stream that breaks off.
  const cut = await acme.chat.completions.create(asks(model, { tokens: ["a", "b", "c"], delayMs: 5, cutAfter: 2 }, { stream: true }));
  let got = "";
  await assert.rejects(async () => {
    for await (const chunk of cut) got += chunk.choices[0]?.delta?.content ?? "";
  }, (e) => e instanceof OpenAI.APIError && e.code === "model_broke_off");
  assert.equal(got, "ab");

  // Leaving in the middle.
  const left = await acme.chat.completions.create(asks(model, { tokens: ["a", "b", "c", "d", "e", "f"], delayMs: 200 }, { stream: true }));
  let seen = 0;
  for await (const _ of left) {
    if (++seen === 2) break;
  }
  assert.equal(left.controller.signal.aborted, true);
}

// Embeddings: the package asks for base64 when nobody says otherwise.
const input = ["water flows", "fire burns"];
for (const tenant of ["acme", "globex"]) {
  const c = client(tenant);
  const [quiet, float, base64] = await Promise.all([
    c.embeddings.create({ model: "default", input }),
    c.embeddings.create({ model: "default", input, encoding_format: "float" }),
    c.embeddings.create({ model: "default", input, encoding_format: "base64" }),
  ]);
  assert.equal(quiet.data[1].embedding.length, 1024);
  assert.equal(typeof base64.data[0].embedding, "string");
  const bytes = Buffer.from(base64.data[0].embedding, "base64");
  const decoded = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  assert.deepEqual(decoded, new Float32Array(float.data[0].embedding));
  assert.deepEqual(new Float32Array(quiet.data[0].embedding), decoded);
}

// Speech: the sound itself, of each tenant's own voice.
const sounds = [];
for (const tenant of ["acme", "globex"]) {
  const spoken = await client(tenant).audio.speech.create({ model: "tts-1", voice: "default", input: "Levadas carry water. They do so across Madeira." });
  assert.equal(spoken.headers.get("content-type"), "audio/wav");
  const sound = Buffer.from(await spoken.arrayBuffer());
  assert.equal(sound.subarray(0, 4).toString(), "RIFF");
  assert.ok(sound.length > 10_000);
  sounds.push(sound);
}
assert.notDeepEqual(sounds[0], sounds[1]);

// Models.
const ids = [];
for await (const model of acme.models.list()) ids.push(model.id);
assert.deepEqual(ids, ["default", "@local/script", "@local/script-openai", "@cf/baai/bge-m3", "@local/voice"]);
assert.equal((await acme.models.retrieve("@local/script")).id, "@local/script");

// Errors.
const hello = asks("default", { tokens: ["hi"] });
const fails = (promise, type, code, param) =>
  assert.rejects(promise, (e) => {
    assert.ok(e instanceof type, `${e.constructor.name} ${e.message}`);
    assert.equal(e.code, code);
    if (param) assert.equal(e.param, param);
    return true;
  });
await fails(client("acme", { apiKey: "sk-nonsense" }).chat.completions.create(hello), OpenAI.AuthenticationError, "invalid_api_key");
await fails(acme.chat.completions.create(asks("gpt-4o", {})), OpenAI.NotFoundError, "model_not_found", "model");
await fails(client("globex").chat.completions.create(asks("@local/script", {})), OpenAI.PermissionDeniedError, "model_not_allowed", "model");
await fails(acme.chat.completions.create({ ...hello, temprature: 1 }), OpenAI.BadRequestError, "unknown_parameter", "temprature");
await fails(acme.embeddings.create({ model: "default", input: [1, 2] }), OpenAI.BadRequestError, "unsupported_value", "input");
await fails(acme.audio.speech.create({ model: "tts-1", voice: "alloy", input: "Hi.", response_format: "mp3" }), OpenAI.BadRequestError, "unsupported_format", "response_format");
await fails(acme.audio.speech.create({ model: "tts-1", voice: "nobody", input: "Hi." }), OpenAI.BadRequestError, "voice_unknown", "voice");
await fails(client("poor").audio.speech.create({ model: "tts-1", voice: "alloy", input: "Hi." }), OpenAI.PermissionDeniedError, "tts_not_enabled");
await fails(acme.models.retrieve("gpt-4o"), OpenAI.NotFoundError, "model_not_found");
await fails(client("poor").chat.completions.create(hello), OpenAI.RateLimitError, "insufficient_quota");
const narrow = client("narrow", { maxRetries: 0 });
await fails((async () => {
  for (let i = 0; i < 20; i++) await narrow.chat.completions.create({ ...hello, user: "openai" });
})(), OpenAI.RateLimitError, "rate_limit_exceeded");
