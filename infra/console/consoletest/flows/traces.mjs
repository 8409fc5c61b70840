import assert from "node:assert/strict";

/** newest waits for a trace of a name that is not the one before, and answers its id. */
async function newest(t, tenant, name, before) {
  let id;
  await t.eventually(async () => (id = (await t.api(tenant, "GET", `/traces?name=${encodeURIComponent(name)}&limit=1`)).traces[0]?.traceId) && id !== before, `a trace of ${name} is kept`);
  return id;
}

export const flows = {
  async "what happened to a request"(t) {
    const before = (await t.api("acme", "GET", "/traces?name=/ingest&limit=1")).traces[0]?.traceId;
    await t.api("acme", "POST", "/ingest?wait=20s", { docId: "traced", title: "Traced", text: `A lever moves the load at ${Date.now()}.` });
    await t.signIn("acme", "traces?name=%2Fingest");
    const id = await newest(t, "acme", "/ingest", before);
    await t.page.getByRole("button", { name: "Ask again" }).click();
    const link = t.page.getByRole("row").getByRole("link", { name: "/ingest", exact: true }).first();
    await t.eventually(async () => (await link.getAttribute("href")).includes(id), "it is the first of the list");
    await t.judge("list");
    await link.click();
    await t.sees(t.page.getByRole("tree", { name: "Spans" }));
    assert.match(await t.focused(), /^Trace [0-9a-f]{32}$/, "focus goes to what appeared");
    await t.eventually(async () => {
      await t.page.getByRole("button", { name: "Ask again" }).click();
      return t.page.getByRole("treeitem", { name: /^Lexicon\.put/ }).count();
    }, "all spans have arrived");
    await t.page.getByRole("treeitem", { name: /^@cf\/baai\/bge-m3 model in consumers, from .* took / }).click();
    const details = t.page.getByRole("region", { name: "@cf/baai/bge-m3" });
    await t.sees(details.getByRole("term").filter({ hasText: "Tokens in" }));
    await t.sees(details.getByText("(estimated)"));
    await t.judge("waterfall");
    const shared = t.page.url();
    await t.page.reload();
    await t.sees(t.page.getByRole("region", { name: "@cf/baai/bge-m3" })); // the address says which span
    assert.equal(t.page.url(), shared);
  },

  async "a waterfall by keyboard"(t) {
    await t.page.route("**/traces/0af7", (route) => route.fulfill({ json: { ok: true, data: { traceId: "0af7", startedAt: "2026-11-23T10:00:00Z", durationMs: 100, spans: [
      { spanId: "a", kind: "request", name: "/chat", worker: "api", offsetMs: 0, durationMs: 60, outcome: "ok", method: "POST", status: 200 },
      { spanId: "b", parentSpanId: "a", kind: "tool", name: "search_docs", worker: "api", offsetMs: 10, durationMs: 20, outcome: "ok", nanoUSD: 1_000_000 },
      { spanId: "c", parentSpanId: "b", kind: "model", name: "@cf/m", worker: "api", offsetMs: 12, durationMs: 5, outcome: "failed", code: "model_away", nanoUSD: 1_000_000 },
      { spanId: "d", parentSpanId: "gone", kind: "event", name: "audit", worker: "consumers", offsetMs: 90, durationMs: 10, outcome: "ok", nanoUSD: 500_000 },
      { spanId: "e", parentSpanId: "f", kind: "object", name: "Knot.e", worker: "api", offsetMs: 95, durationMs: 1, outcome: "ok" },
      { spanId: "f", parentSpanId: "e", kind: "object", name: "Knot.f", worker: "api", offsetMs: 95, durationMs: 0, outcome: "ok" },
    ] } } }));
    await t.signIn("acme", "traces/0af7");
    await t.sees(t.page.getByRole("region", { name: "@cf/m" })); // what failed is what one wants to see
    await t.sees("model_away");
    await t.sees("$0.0015"); // of b, which c is part of, and d
    const names = () => t.page.getByRole("treeitem").evaluateAll((all) => all.map((item) => `${item.getAttribute("aria-level")} ${item.querySelector(".name").textContent}`));
    assert.deepEqual(await names(), ["1 /chat", "2 search_docs", "3 @cf/m", "1 audit", "1 Knot.e", "1 Knot.f"]);
    assert.equal(await t.page.locator("[role=treeitem][tabindex='0']").count(), 1);
    await t.page.locator("[role=treeitem][tabindex='0']").focus();
    const at = async (key) => {
      await t.page.keyboard.press(key);
      return t.page.evaluate(() => document.activeElement.querySelector(".name").textContent);
    };
    assert.equal(await at("ArrowDown"), "audit");
    assert.equal(await at("Home"), "/chat");
    assert.equal(await at("ArrowUp"), "/chat");
    assert.equal(await at("ArrowRight"), "search_docs");
    assert.equal(await at("ArrowLeft"), "search_docs"); // it closes
    assert.deepEqual(await names(), ["1 /chat", "2 search_docs", "1 audit", "1 Knot.e", "1 Knot.f"]);
    assert.equal(await t.page.getByRole("treeitem", { name: /^search_docs/ }).getAttribute("aria-expanded"), "false");
    assert.equal(await at("ArrowLeft"), "/chat");
    assert.equal(await at("ArrowLeft"), "/chat");
    assert.deepEqual(await names(), ["1 /chat", "1 audit", "1 Knot.e", "1 Knot.f"], "what is below what is closed");
    assert.equal(await at("End"), "Knot.f");
    assert.equal(await at("Home"), "/chat");
    assert.equal(await at("ArrowRight"), "/chat"); // it opens
    assert.equal((await names()).length, 5);
    await t.sees(t.page.getByRole("region", { name: "/chat" }));
    await t.judge("failed");
  },

  async "which are shown"(t) {
    await t.signIn("acme", "traces");
    await t.page.getByLabel("What it began with").fill("/nowhere");
    await t.page.getByLabel("Only with failures").check();
    await t.page.getByRole("button", { name: "Filter" }).click();
    await t.sees("No trace is like this.");
    assert.match(t.page.url(), /traces\?name=%2Fnowhere&failed=true$/);
    await t.judge("none");
    await t.page.goBack();
    await t.sees(t.page.getByRole("region", { name: "Traces", exact: true }));
    await t.eventually(async () => (await t.page.getByLabel("What it began with").inputValue()) === "", "the form says what is shown");
    assert.equal(await t.page.getByLabel("Only with failures").isChecked(), false);
    await t.page.getByLabel("Trace id").fill("0af7651916cd43dd8448eb211c80319c");
    await t.page.keyboard.press("Enter");
    await t.sees("This trace is not kept, or not yet.");
    await t.judge("not-kept");
  },

  async "page by page"(t) {
    const page = (from) => Array.from({ length: 2 }, (_, i) => ({ traceId: `t${from + i}`, kind: "request", name: `/n${from + i}`, startedAt: "2026-11-23T10:00:00Z", durationMs: 1234.5, spans: 1, failed: 0, outcome: "ok" }));
    let fails = true;
    await t.page.route("**/traces?*", (route) => {
      const cursor = new URL(route.request().url()).searchParams.get("cursor");
      if (cursor && fails) return route.fulfill({ status: 503, json: { ok: false, error: { code: "meters_unavailable", message: "the meters do not answer", details: { hint: "try again" } } } });
      return route.fulfill({ json: { ok: true, data: { traces: page(cursor ? 2 : 0), ...(!cursor && { next: "after-1" }) } } });
    });
    await t.signIn("acme", "traces");
    await t.page.getByRole("button", { name: "More" }).click();
    await t.sees(t.page.getByRole("alert").getByText("the meters do not answer"));
    assert.equal(await t.page.getByRole("link", { name: /^\/n/ }).count(), 2, "what is there stays");
    fails = false;
    await t.page.getByRole("button", { name: "More" }).click();
    await t.sees(t.page.getByRole("link", { name: "/n3" }));
    assert.deepEqual(await t.page.getByRole("link", { name: /^\/n/ }).allTextContents(), ["/n0", "/n1", "/n2", "/n3"]);
    assert.equal(await t.page.getByRole("button", { name: "More" }).count(), 0);
    assert.equal(await t.page.getByRole("alert").count(), 0);
    t.allow(/status of 503/);
  },

  async "another tenant's trace is none"(t) {
    await t.api("acme", "POST", "/tools/execute", { tool_name: "calculator", params: { operation: "add", a: 2, b: 2 } });
    const id = await newest(t, "acme", "/tools/execute");
    await t.signIn("globex", `traces/${id}`);
    await t.sees("This trace is not kept, or not yet.");
    await t.signInAs("acme");
    await t.sees(t.page.getByRole("treeitem", { name: /^\/tools\/execute/ }));
  },
};
