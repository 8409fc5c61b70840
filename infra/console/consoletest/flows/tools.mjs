import assert from "node:assert/strict";

const result = (t) => t.page.getByRole("region", { name: "Result" });

export const flows = {
  async "a tool is called"(t) {
    await t.signIn("acme", "tools");
    await t.sees(t.page.getByRole("row", { name: /^ingest_docs.*changes what is stored/ }));
    await t.judge("list");
    await t.page.getByRole("link", { name: "calculator" }).click();
    await t.focusOn("calculator"); // what appeared
    await t.page.getByRole("button", { name: "Run", exact: true }).click();
    await t.focusOn("operation required"); // what is wrong
    assert.equal(await t.page.getByText("is required", { exact: true }).count(), 2, "before it is sent");
    await t.page.getByLabel("operation").selectOption("divide");
    await t.page.getByLabel(/^a/).fill("7");
    await t.page.getByLabel("b", { exact: true }).fill("0");
    await t.page.getByRole("button", { name: "Run", exact: true }).click();
    await t.sees(t.page.getByText("is 0: nothing can be divided by it", { exact: true }));
    await t.focusOn("b");
    await t.sees(result(t).getByRole("alert").getByRole("link", { name: /^[0-9a-f]{32}$/ }));
    await t.judge("refused");
    await t.page.getByLabel("b", { exact: true }).fill("2");
    await t.page.keyboard.press("Enter");
    await t.sees(result(t).getByText('"result": 3.5'));
    await t.sees(result(t).getByText("On record as"));
    await t.judge("done");
    await t.page.getByRole("button", { name: "Dry run" }).click();
    await t.sees(result(t).getByText("Nothing was done."));
  },

  async "lists, choices and objects"(t) {
    const sent = [];
    t.page.on("request", (request) => request.url().endsWith("/tools/execute") && sent.push(request.postDataJSON().params));
    await t.signIn("acme", "tools/extract_entities");
    await t.page.getByLabel(/^text/).fill("Write to anna@example.com by 4 May 2026.");
    await t.page.getByRole("group", { name: "entity_types" }).getByLabel("EMAIL").check();
    await t.page.getByRole("group", { name: "entity_types" }).getByLabel("DATE").check();
    await t.page.getByRole("button", { name: "Run", exact: true }).click();
    await t.sees(result(t).getByText('"anna@example.com"'));
    await t.judge("choices");

    await t.open("tools/classify_intent");
    await t.page.getByLabel(/^text/).fill("I want my money back");
    await t.page.getByRole("button", { name: "Add to categories" }).click();
    await t.focusOn("categories 1"); // what was added
    await t.page.keyboard.type("refund");
    await t.page.getByRole("button", { name: "Add to categories" }).click();
    await t.page.getByRole("button", { name: "Add to categories" }).click();
    await t.page.getByLabel("categories 3", { exact: true }).fill("greeting");
    await t.page.getByRole("button", { name: "Run", exact: true }).click();
    await t.sees(t.page.getByText("is required", { exact: true })); // the second is empty
    await t.page.getByRole("button", { name: "Remove categories 2" }).click();
    assert.equal(await t.focused(), "Add to categories");
    await t.page.getByRole("button", { name: "Run", exact: true }).click();
    await t.sees(result(t).getByText('"intent": '));
    assert.deepEqual(sent, [
      { text: "Write to anna@example.com by 4 May 2026.", entity_types: ["EMAIL", "DATE"] },
      { text: "I want my money back", categories: ["refund", "greeting"] },
    ]);
    await t.judge("list-of-texts");
  },

  async "a tool that changes something is asked about"(t) {
    const doc = `by-a-tool-${Date.now()}`;
    await t.signIn("acme", "tools/ingest_docs");
    await t.page.getByLabel(/^content/).fill("A lever moves the load.");
    await t.page.getByLabel("doc_id").fill(doc);
    await t.page.getByLabel("metadata").fill("{");
    await t.page.getByRole("button", { name: "Run", exact: true }).click();
    await t.sees(t.page.getByText(/^is no JSON/));
    await t.page.getByLabel("metadata").fill('{"year": 2026}');
    await t.page.getByRole("button", { name: "Run", exact: true }).click();
    const dialog = await t.sees(t.page.getByRole("dialog", { name: "Run ingest_docs?" }));
    await t.judge("asked");
    await dialog.getByRole("button", { name: "Cancel" }).click();
    await t.sees(result(t).getByText("Nothing has run yet."));
    await t.page.getByRole("button", { name: "Run", exact: true }).click();
    await dialog.getByRole("button", { name: "Run", exact: true }).click();
    await t.sees(result(t).getByText("Done."));
    await t.eventually(async () => (await t.api("acme", "GET", `/documents?prefix=${doc}`)).documents.length === 1, "it is stored");
    assert.equal((await t.api("globex", "GET", `/documents?prefix=${doc}`)).documents.length, 0);
  },

  async "every kind of control"(t) {
    const schema = { type: "object", required: ["yes", "deep"], properties: {
      yes: { type: "boolean" }, size: { type: "integer", minimum: 1, maximum: 9, default: 5 }, level: { enum: [1, 2, 3] }, any: { description: "Anything." },
      deep: { type: "object", required: ["name"], properties: { name: { type: "string", maxLength: 20 }, ratio: { type: "number" } } },
      rows: { type: "array", items: { type: "object", properties: { key: { type: "string", maxLength: 5 } } } },
    } };
    await t.page.route("**/schema/tools", (route) => route.fulfill({ json: { ok: true, data: { tools: [{ name: "odd", description: "Odd.", inputSchema: schema, outputSchema: {}, effects: "none", cost: "free", timeoutMs: 1000, needs: ["tools"] }] } } }));
    let params, answer = { status: 400, json: { ok: false, error: { code: "VALIDATION_FAILED", message: "params.any.x: is odd", details: { field: "params.any.x" }, traceId: "0af7" } } };
    await t.page.route("**/tools/execute", (route) => {
      ({ params } = route.request().postDataJSON());
      return route.fulfill(answer);
    });
    await t.signIn("globex", "tools/odd");
    await t.page.getByLabel(/^yes/).selectOption("no");
    await t.page.getByLabel("level").selectOption("2");
    await t.page.getByLabel("any").fill('{"x": [1]}');
    await t.page.getByLabel(/^name/).fill("deep");
    await t.page.getByLabel("ratio").fill("0.5");
    await t.page.getByRole("button", { name: "Add to rows" }).click();
    await t.page.getByRole("group", { name: "rows 1" }).getByLabel("key").fill("k");
    await t.page.getByLabel("size").fill("1.5");
    await t.page.getByRole("button", { name: "Run", exact: true }).click();
    await t.sees("is no whole number");
    await t.page.getByLabel("size").fill("3");
    await t.page.getByRole("button", { name: "Run", exact: true }).click();
    await t.sees(t.page.getByText("x is odd", { exact: true })); // at the field that it is in
    assert.equal(await t.page.getByLabel("any").getAttribute("aria-invalid"), "true");
    assert.deepEqual(params, { yes: false, size: 3, level: 2, any: { x: [1] }, deep: { name: "deep", ratio: 0.5 }, rows: [{ key: "k" }] });
    await t.judge("all");
    answer = { json: { ok: true, data: { success: true, data: null, metadata: { durationMs: 3, tokens: 0, costNanos: 0 } } } };
    await t.page.getByRole("button", { name: "Run", exact: true }).click();
    await t.sees(result(t).getByText("Done."));
    assert.equal(await t.page.getByLabel("any").getAttribute("aria-invalid"), null);
    await t.page.unroute("**/tools/execute");
    await t.page.route("**/tools/execute", () => {}); // it takes for ever
    await t.page.getByRole("button", { name: "Run", exact: true }).click();
    await t.page.getByRole("button", { name: "Stop" }).click();
    await t.page.getByRole("button", { name: "Stop" }).waitFor({ state: "detached" });
    assert.equal(await t.focused(), "Run", "focus stays in the form");
  },

  async "a tool of another tenant is none"(t) {
    await t.signIn("globex", "tools/ingest_docs");
    await t.sees("There is no such tool here");
    await t.page.getByRole("link", { name: "All tools" }).click();
    await t.sees(t.page.getByRole("link", { name: "calculator" }));
    assert.equal(await t.page.getByText("ingest_docs").count(), 0);
  },
};
