// The official TypeScript SDK, in the revision that it is told, with URL and key alone.
import assert from "node:assert/strict";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";

const { url, key, tenant, revision, documents } = JSON.parse(process.argv[2]);
const uri = (id) => "levada://documents/" + encodeURIComponent(id);

const modern = revision >= "2026-07-28";
const client = new Client({ name: "test", version: "1" }, modern ? { versionNegotiation: { mode: { pin: revision } } } : { supportedProtocolVersions: [revision] });
const transport = new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers: { Authorization: "Bearer " + key } } });
await client.connect(transport);
assert.equal(client.getServerVersion().name, "levada");
assert.equal(client.getNegotiatedProtocolVersion(), revision);
assert.deepEqual(Object.keys(client.getServerCapabilities()).sort(), ["prompts", "resources", "tools"]);
assert.equal(Boolean(transport.sessionId), !modern);

// What the tenant has enabled, and what else it has not.
const { tools } = await client.listTools();
const names = tools.map((t) => t.name);
assert.ok(names.includes("calculator"));
assert.equal(names.includes("tag_chunk_docs"), tenant === "acme", names.join());
const calculator = tools.find((t) => t.name === "calculator");
assert.equal(calculator.annotations.readOnlyHint, true);
assert.equal(calculator.outputSchema.type, "object");

// A call whose result the client holds to the schema that it was told.
const told = [];
const sum = await client.callTool({ name: "calculator", arguments: { operation: "add", a: 0.1, b: 0.2 } }, { onprogress: (p) => told.push(p) });
assert.deepEqual(sum.structuredContent, { result: 0.3 });
assert.deepEqual(sum.content, [{ type: "text", text: '{"result":0.3}' }]);
assert.ok(!sum.isError);

// Arguments that do not fit are for the model to see, with the place.
for (const [args, field] of [[{ operation: "add", a: "two", b: 3 }, "params.a"], [{ operation: "divide", a: 1, b: 0 }, "params.b"]]) {
  const wrong = await client.callTool({ name: "calculator", arguments: args });
  assert.equal(wrong.isError, true);
  assert.equal(wrong._meta["levada.dev/error"].field, field);
  assert.match(wrong.content[0].text, new RegExp(field.replace(".", "\\.")));
}
const missing = tenant === "acme" ? "no_such_tool" : "tag_chunk_docs";
await assert.rejects(client.callTool({ name: missing, arguments: { content: "a" } }), (e) => e.code === -32602 && /Unknown tool/.test(e.message));

// The tenant's documents, and nobody else's.
const listed = new Set();
for (let cursor; ; ) {
  const page = await client.listResources(cursor ? { cursor } : {});
  page.resources.forEach((r) => listed.add(r.uri));
  if (!(cursor = page.nextCursor)) break;
}
assert.ok(listed.has(uri(documents.own)));
assert.ok(!listed.has(uri(documents.other)));
const read = await client.readResource({ uri: uri(documents.own) });
assert.equal(read.contents[0].text, `Only ${tenant} may read this.`);
await assert.rejects(client.readResource({ uri: uri(documents.other) }), /Resource not found/);
const { resourceTemplates } = await client.listResourceTemplates();
assert.equal(resourceTemplates[0].uriTemplate, "levada://documents/{id}");

const { prompts } = await client.listPrompts();
assert.ok(prompts.some((p) => p.name === "grounded@1"));
const prompt = await client.getPrompt({ name: "grounded@1", arguments: { question: "Why?", sources: "Because." } });
assert.match(prompt.messages.at(-1).content.text, /Why\?/);
await assert.rejects(client.getPrompt({ name: "grounded@1", arguments: {} }), (e) => e.code === -32602);
await client.close();
