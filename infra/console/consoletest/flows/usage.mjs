import assert from "node:assert/strict";

export const flows = {
  async "what was spent"(t) {
    await t.api("acme", "POST", "/search", { query: `what does a lever move at ${Date.now()}?` });
    await t.eventually(async () => (await t.api("acme", "GET", "/usage")).totals.nanoUSD > 0, "it is booked");
    await t.signIn("acme", "usage");
    const models = await t.sees(t.page.getByRole("table", { name: "By model" }));
    await t.sees(models.getByRole("row", { name: /@cf\/baai\/bge-m3/ }));
    await t.sees(t.page.getByRole("table", { name: "By capability" }).getByRole("rowheader", { name: "search" }));
    await t.sees(t.page.getByRole("meter", { name: "Money a day" }));
    assert.match(await t.page.getByRole("meter", { name: "Tokens a month" }).getAttribute("aria-valuetext"), /of 10,000,000,000, .* %$/);
    const told = await t.api("acme", "GET", "/usage");
    const answered = t.page.waitForResponse((response) => new URL(response.url()).pathname === "/usage");
    await t.page.getByRole("button", { name: "Ask again" }).click();
    const { lines } = (await (await answered).json()).data;
    for (const [by, name] of [["model", "@cf/baai/bge-m3"], ["capability", "search"]]) {
      const neurons = lines.filter((l) => l[by] === name).reduce((all, l) => all + l.neurons, 0).toLocaleString("en", { maximumFractionDigits: 2 });
      assert.notEqual(neurons, "0");
      const table = t.page.getByRole("table", { name: `By ${by}` });
      const column = (await table.getByRole("columnheader").allTextContents()).indexOf("Neurons");
      assert.ok(column > 0, `${by} has neurons`);
      const cell = table.getByRole("row").filter({ has: t.page.getByRole("rowheader", { name, exact: true }) }).locator("th, td").nth(column);
      await t.eventually(async () => (await cell.textContent()) === neurons, `${name} took ${neurons} neurons, as the API says`);
    }
    const calls = t.page.getByRole("definition").nth(1);
    await t.eventually(async () => Number((await calls.textContent()).replaceAll(",", "")) >= told.totals.calls, "as many as the API says");
    await t.page.getByText("As a table").click();
    await t.sees(t.page.getByRole("table", { name: "Cost by day" }));
    await t.judge("this-month");
  },

  async "other days"(t) {
    await t.signIn("acme", "usage");
    await t.sees(t.page.getByRole("region", { name: "Budgets" }));
    await t.page.getByLabel("From", { exact: true }).fill("2026-01-02");
    await t.page.getByLabel("To", { exact: true }).fill("2026-01-01");
    await t.page.getByRole("button", { name: "Show" }).click();
    await t.sees(t.page.getByText("is after to"));
    assert.equal(await t.page.getByLabel("From", { exact: true }).getAttribute("aria-invalid"), "true");
    await t.judge("wrong-days");
    await t.page.getByLabel("To", { exact: true }).fill("2026-01-03");
    await t.page.getByRole("button", { name: "Show" }).click();
    await t.sees("No model was called in these days.");
    assert.match(t.page.url(), /usage\?from=2026-01-02&to=2026-01-03$/);
    await t.judge("nothing");
    await t.page.getByRole("link", { name: "7 days", exact: true }).click();
    await t.eventually(async () => (await t.page.getByLabel("From", { exact: true }).inputValue()) > "2026-01-03", "the fields follow");
  },

  async "other days by keyboard"(t) {
    await t.api("acme", "POST", "/search", { query: `what does a lever move at ${Date.now()}?` });
    await t.eventually(async () => (await t.api("acme", "GET", "/usage")).totals.calls > 0, "it is booked");
    await t.signIn("acme", "usage");
    await t.sees(t.page.getByRole("table", { name: "By model" }));
    await t.tabTo("From");
    await t.page.keyboard.type("02022026"); // that day and month are equal: which is first is the system's matter
    await t.tabTo("To");
    await t.page.keyboard.type("01012026");
    await t.tabTo("Show");
    await t.press("Enter");
    await t.sees(t.page.getByText("is after to"));
    await t.focusOn("From"); // what is wrong
    await t.page.keyboard.type("01012026");
    await t.tabTo("Show");
    await t.press("Space");
    await t.announced(/ from 2026-01-01 to 2026-01-01\.$/);
    await t.sees("No model was called in these days.");
    assert.equal(await t.focused(), "Show", "focus stays");
    await t.tabTo("This month");
    await t.press("Enter");
    await t.sees(t.page.getByRole("table", { name: "By model" }));
    assert.match(t.page.url(), /#\/usage$/);
    assert.equal(await t.focused(), "This month");
    await t.tabTo("Ask again", "Shift+Tab");
    await Promise.all([t.page.waitForResponse("**/usage"), t.press("Enter")]);
    await t.focusOn("Ask again"); // it stays there
    await t.tabTo("As a table");
    await t.press("Enter");
    await t.sees(t.page.getByRole("table", { name: "Cost by day" }));
  },

  async "budgets that run short"(t) {
    const budget = (unit, spent, projected) => ({ period: "day", unit, limit: 1000, spent, reserved: unit === "tokens" ? 7 : 0, resetsAt: "2026-11-24T00:00:00Z", used: spent / 1000, projected });
    await t.page.route("**/metrics/cost?*", async (route) => {
      const answer = await (await route.fetch()).json();
      answer.data.budgets = [budget("tokens", 1200, 2000), budget("nanoUSD", 500, 1500), budget("characters", 10, 20)];
      await route.fulfill({ json: answer });
    });
    await t.signIn("globex", "usage");
    for (const [name, state] of [["Tokens a day", "used up"], ["Money a day", "running short"], ["Characters a day", "enough"]]) {
      await t.sees(t.page.getByRole("listitem").filter({ has: t.page.getByRole("meter", { name }) }).getByText(state));
    }
    await t.sees("7 held by what is under way.");
    await t.judge("short");
  },

  async "the second tenant's account is its own"(t) {
    await t.api("acme", "POST", "/search", { query: "a search of the first tenant" });
    await t.signIn("*", "usage");
    await t.sees(t.page.getByRole("table", { name: "By model" }).getByRole("row", { name: /@cf\/baai\/bge-m3/ }));
    const answered = t.page.waitForResponse((response) => new URL(response.url()).pathname === "/usage" && response.request().headers()["x-tenant-id"] === "globex");
    await t.page.getByRole("banner").getByLabel("Tenant").selectOption("globex");
    await answered;
    await t.sees(t.page.getByRole("region", { name: "In all" }));
    assert.equal(await t.page.getByText("bge-m3").count(), 0);
  },

  async "an account that cannot be read"(t) {
    await t.page.route("**/usage*", (route) => route.request().resourceType() === "fetch" ? route.fulfill({ status: 503, json: { ok: false, error: { code: "quota_unavailable", message: "the account does not answer", details: { hint: "try again" }, traceId: "0af7651916cd43dd8448eb211c80319c" } } }) : route.continue());
    await t.signIn("acme", "usage");
    const alert = await t.sees(t.page.getByRole("alert"));
    assert.match(await alert.textContent(), /does not answer.*quota_unavailable.*try again/);
    await t.page.unroute("**/usage*");
    await t.page.getByRole("button", { name: "Ask again" }).click();
    await t.sees(t.page.getByRole("region", { name: "In all" }));
    t.allow(/status of 503/);
  },
};
