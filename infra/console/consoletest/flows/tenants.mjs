import assert from "node:assert/strict";

const chooser = (t) => t.page.getByRole("banner").getByLabel("Tenant");

export const flows = {
  async "a key of one tenant has nothing to choose"(t) {
    await t.signIn("acme");
    await t.sees(t.page.getByRole("banner").getByText("Acme Tools"));
    assert.equal(await chooser(t).count(), 0);
  },

  async "an operator goes from tenant to tenant"(t) {
    await t.api("acme", "POST", "/tools/execute", { tool_name: "calculator", params: { operation: "add", a: 1, b: 2 } });
    await t.signIn("*", "traces/of-acme?span=1");
    await t.sees(t.page.getByRole("heading", { name: "Trace of-acme" }));
    assert.deepEqual(await chooser(t).getByRole("option").allTextContents(), ["Acme Tools", "Demo", "Globex Research"]);
    await t.page.evaluate(() => { // what is said, also when the page says something after it
      globalThis.said = [];
      new MutationObserver(() => globalThis.said.push(document.querySelector("p.hidden[role=status]").textContent)).observe(document.querySelector("p.hidden[role=status]"), { childList: true, characterData: true, subtree: true });
    });
    const asked = [];
    t.page.on("request", (request) => request.headers().authorization && asked.push(`${request.headers()["x-tenant-id"]} ${new URL(request.url()).pathname}`));
    await chooser(t).focus();
    await t.page.keyboard.press("End");
    await t.page.keyboard.press("Enter");
    await t.sees(t.page.getByRole("heading", { name: "Traces", level: 1 }));
    assert.match(t.page.url(), /#\/traces$/, "what the address named was the other tenant's");
    await t.eventually(() => t.page.evaluate(() => globalThis.said.includes("This is Globex Research now.")), "it is announced");
    assert.match(await t.focused(), /^Tenant/, "focus stays");
    await t.eventually(() => asked.length > 1);
    assert.ok(asked.every((request) => request.startsWith("globex ")), asked.join());
    await t.judge("globex");
    await t.page.reload();
    await t.sees(t.page.getByRole("button", { name: "Sign out" }));
    assert.equal(await chooser(t).inputValue(), "globex", "also after a reload");
    await t.open("overview");
    await t.sees(t.page.getByRole("definition").filter({ hasText: "Globex Research globex" }));
    await t.sees(t.page.getByRole("definition").filter({ hasText: "acme/operator" }));
  },

  async "what the former tenant was asked for does not come any more"(t) {
    await t.signIn("*");
    await t.sees("Its time");
    let late;
    await t.page.route("**/traces?*", async (route) => {
      if (route.request().headers()["x-tenant-id"] !== "acme") return route.continue();
      await new Promise((answer) => (late = answer));
      await route.fulfill({ json: { ok: true, data: { traces: [{ traceId: "ac", kind: "request", name: "/of-acme", startedAt: "2026-11-23T00:00:00Z", durationMs: 1, spans: 1, failed: 0, outcome: "ok" }] } } }).catch(() => {});
    });
    await t.page.getByRole("link", { name: "Traces" }).click();
    await t.eventually(() => late);
    const answered = t.page.waitForResponse((response) => new URL(response.url()).pathname === "/traces" && response.request().headers()["x-tenant-id"] === "globex");
    await chooser(t).selectOption("globex");
    await answered;
    late();
    await t.sees(t.page.getByRole("region", { name: "Traces", exact: true }));
    assert.equal(await t.page.getByText("/of-acme").count(), 0);
  },

  async "a tenant that cannot be had"(t) {
    await t.signIn("*");
    await t.sees("Its time");
    await t.page.route("**/whoami", (route) => route.fulfill({
      status: 503, json: { ok: false, error: { code: "config_unavailable", message: "the configuration cannot be read", details: { hint: "try again in a moment" }, traceId: "0123456789abcdef0123456789abcdef" } },
    }));
    await chooser(t).selectOption("globex");
    const alert = await t.sees(t.page.getByRole("alert"));
    assert.match(await alert.textContent(), /cannot be read.*config_unavailable.*try again in a moment/);
    await t.sees(alert.getByRole("link", { name: "0123456789abcdef0123456789abcdef" }));
    assert.equal(await chooser(t).inputValue(), "acme");
    await t.sees("Acme Tools acme");
    await t.judge("failed");
    await t.page.unroute("**/whoami");
    await chooser(t).selectOption("globex");
    await t.sees("Globex Research globex");
    assert.equal(await t.page.getByRole("alert").count(), 0);
    t.allow(/status of 503/);
  },

  async "a key that was revoked meanwhile"(t) {
    await t.signIn("*");
    await t.sees("Its time");
    await t.page.route("**/whoami", (route) => route.fulfill({
      status: 401, json: { ok: false, error: { code: "unauthorized", message: "a valid API key is required", details: {}, traceId: "0123" } },
    }));
    await chooser(t).selectOption("globex");
    await t.page.getByLabel("API key").waitFor();
    await t.sees("a valid API key is required");
    assert.equal(await t.page.evaluate(() => sessionStorage.length), 0);
  },
};
