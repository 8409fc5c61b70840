import assert from "node:assert/strict";

export const flows = {
  async "a good key"(t) {
    await t.open();
    assert.equal(await t.page.title(), "Sign in – Levada");
    await t.judge("form");
    await t.signIn("acme");
    await t.sees(t.page.getByRole("heading", { name: "Overview", level: 1 }));
    await t.sees(t.page.getByRole("banner").getByText("Acme Tools"));
    assert.equal(await t.page.title(), "Overview – Levada");
    await t.page.reload();
    await t.sees(t.page.getByRole("heading", { name: "Overview", level: 1 })); // the tab remembers

    const other = await t.context.newPage();
    await other.goto(`${t.url}/console/`);
    await other.getByLabel("API key").waitFor(); // and only this tab
    assert.deepEqual(await t.page.evaluate(() => [Object.keys(localStorage), document.cookie]), [[], ""]);

    await t.page.getByRole("button", { name: "Sign out" }).click();
    await t.page.getByLabel("API key").waitFor();
    assert.equal(await t.page.getByLabel("API key").inputValue(), "");
    assert.equal(await t.page.evaluate(() => sessionStorage.length), 0);
    assert.equal(await t.page.title(), "Sign in – Levada");
  },

  async "a wrong key"(t) {
    await t.open();
    await t.page.getByLabel("API key").fill("lv_acme_wrong");
    await t.page.keyboard.press("Enter");
    const alert = await t.sees(t.page.getByRole("alert"));
    assert.match(await alert.textContent(), /a valid API key is required.*unauthorized.*all of the key/);
    await t.eventually(() => t.page.evaluate(() => document.activeElement.getAttribute("role") === "alert"), "focus is on what is said");
    assert.equal(await t.page.getByLabel("API key").getAttribute("aria-invalid"), "true");
    await t.judge("refused");
    await t.page.getByLabel("API key").fill(t.keys.acme);
    await t.page.keyboard.press("Enter");
    await t.page.getByRole("button", { name: "Sign out" }).waitFor();
  },

  async "neither key nor tenant"(t) {
    await t.open();
    await t.page.getByRole("button", { name: "Sign in" }).click();
    await t.sees("Enter a key, or the id of a tenant that is open.");
  },

  async "a key of another tenant"(t) {
    await t.open();
    await t.page.getByLabel("API key").fill(t.keys.globex);
    await t.page.getByLabel("Tenant").fill("acme");
    await t.page.getByRole("button", { name: "Sign in" }).click();
    await t.sees("the key belongs to another tenant");
    assert.equal(await t.page.getByText("Acme Tools").count(), 0);
  },

  async "the second tenant sees nothing of the first"(t) {
    await t.signIn("acme");
    await t.sees("Acme Tools");
    await t.signInAs("globex");
    await t.sees("Its time");
    const text = await t.page.locator("body").innerText();
    assert.match(text, /Globex/);
    assert.doesNotMatch(text, /acme/i);
    const seen = [];
    t.page.on("request", (request) => seen.push(request.headers()["x-tenant-id"], request.headers().authorization));
    await t.page.getByRole("button", { name: "Ask again" }).click();
    await t.sees(t.page.getByRole("button", { name: "Ask again" }));
    assert.deepEqual([...new Set(seen)], ["globex", `Bearer ${t.keys.globex}`]);
  },

  async "an open tenant"(t) {
    await t.open();
    await t.page.getByLabel("Tenant").fill("demo");
    await t.page.getByRole("button", { name: "Sign in" }).click();
    await t.sees("none: the tenant is open");
  },

  async "a key that is refused later"(t) {
    await t.signIn("acme");
    await t.sees("Its time");
    await t.page.route("**/ready", (route) => route.fulfill({
      status: 401, contentType: "application/json", body: JSON.stringify({ ok: false, error: { code: "unauthorized", message: "a valid API key is required", details: { hint: "send it" }, traceId: "0123" } }),
    }));
    await t.page.getByRole("button", { name: "Ask again" }).click();
    await t.page.getByLabel("API key").waitFor();
    await t.sees("a valid API key is required");
    assert.equal(await t.page.evaluate(() => sessionStorage.length), 0);
  },

  async "a platform that is away"(t) {
    await t.signIn("acme");
    await t.sees("Its time");
    await t.context.setOffline(true);
    await t.page.getByRole("button", { name: "Ask again" }).click();
    await t.sees("the platform does not answer");
    await t.judge("away");
    await t.context.setOffline(false);
    await t.page.getByRole("button", { name: "Ask again" }).click();
    await t.sees("Its time");
    t.allow(/ERR_INTERNET_DISCONNECTED/);
  },
};
