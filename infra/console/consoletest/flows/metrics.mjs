import assert from "node:assert/strict";

export const flows = {
  async "how the platform does"(t) {
    await t.api("acme", "POST", "/tools/execute", { tool_name: "calculator", params: { operation: "add", a: 1, b: 2 } });
    await t.api("acme", "POST", "/search", { query: "what does a lever move?" });
    await t.eventually(async () => (await t.api("acme", "GET", "/metrics/tools/execution")).tools.length > 0, "it is counted");
    await t.signIn("acme", "metrics");
    await t.sees(t.page.getByRole("table", { name: "By route" }).getByRole("row", { name: /POST \/search/ }));
    await t.sees(t.page.getByRole("table", { name: "Those called most first" }).getByRole("row", { name: /calculator/ }));
    await t.sees(t.page.getByRole("table", { name: "Each number by itself" }).getByRole("row", { name: /Failure rate/ }));
    assert.equal(await t.page.locator("canvas").count(), 4);
    await t.judge("day");
    await t.page.getByLabel("Period").selectOption("1h");
    await t.eventually(() => /metrics\?period=1h$/.test(t.page.url()));
    await t.announced(/^The last hour: /);
    await t.page.getByText("As a table").first().click();
    assert.equal(await t.page.getByRole("table", { name: "Requests" }).getByRole("row").count(), 61);
  },

  async "a rule is made and deleted"(t) {
    const name = `Many requests ${Date.now()}`;
    await t.signIn("acme", "metrics");
    const alerts = t.page.getByRole("region", { name: "Alerts" });
    await t.sees(alerts.getByText("Nobody is told: the tenant's configuration names no webhook."));
    await t.page.getByRole("button", { name: "New rule" }).click();
    const dialog = await t.sees(t.page.getByRole("dialog", { name: "New rule" }));
    const { error } = await t.page.evaluate(async (key) => (await fetch("/metrics/alerts", { method: "POST", headers: { authorization: `Bearer ${key}`, "content-type": "application/json" }, body: JSON.stringify({ name: "x", metric: "?" }) })).json(), t.keys.acme);
    assert.deepEqual(await dialog.getByLabel("Number").getByRole("option").evaluateAll((all) => all.map((o) => o.value)), error.details.hint.replace("metrics are ", "").split(", "), "all that the API knows");
    await dialog.getByRole("button", { name: "Watch it" }).click();
    await t.sees(dialog.getByText("name: is required: it is what people are told"));
    await t.focusOn("Name"); // what is wrong
    await t.judge("wrong");
    await dialog.getByLabel("Name").fill(name);
    await dialog.getByLabel("Threshold").fill("1.5");
    await dialog.getByRole("button", { name: "Watch it" }).click();
    await t.sees(dialog.getByText(/is not between 0 and 1/));
    await dialog.getByLabel("Number").selectOption("requests");
    await dialog.getByLabel("Threshold").fill("");
    await dialog.getByRole("button", { name: "Watch it" }).click();
    await t.sees(dialog.getByText(/threshold: is required/));
    await dialog.getByLabel("Threshold").fill("0");
    await dialog.getByLabel("In", { exact: true }).selectOption("24h");
    await dialog.getByRole("button", { name: "Watch it" }).click();
    await dialog.waitFor({ state: "detached" });
    await t.sees(t.page.getByText(`“${name}” is watched from now on. Nobody is told of it: there is no webhook.`));
    const row = t.page.getByRole("row", { name });
    await t.sees(row.getByText("Requests: more than 0 in a day"));
    assert.deepEqual((await t.api("globex", "GET", "/metrics/alerts")).alerts.filter((a) => a.name === name), [], "the other tenant has none");
    await t.judge("made");
    await row.getByRole("button", { name: `Delete ${name}` }).click();
    await t.page.getByRole("dialog").getByRole("button", { name: "Keep it" }).click();
    assert.equal(await row.count(), 1);
    await row.getByRole("button", { name: `Delete ${name}` }).click();
    await t.page.getByRole("dialog", { name: "Delete the rule?" }).getByRole("button", { name: "Delete" }).click();
    await row.waitFor({ state: "detached" });
    assert.deepEqual((await t.api("acme", "GET", "/metrics/alerts")).alerts.filter((a) => a.name === name), []);
  },

  async "a rule is made and deleted by keyboard"(t) {
    const name = `By keyboard ${Date.now()}`, own = async (tenant) => (await t.api(tenant, "GET", "/metrics/alerts")).alerts.filter((a) => a.name === name);
    await t.signIn("acme", "metrics");
    await t.sees(t.page.getByRole("region", { name: "Alerts" }).getByText(/^(Rules|There are no rules yet\.)$/));
    await t.sees(t.page.getByRole("table", { name: "By route" }));
    await t.tabTo("Period");
    await t.press("Home");
    await t.eventually(() => /metrics\?period=1h$/.test(t.page.url()), "the period is another one");
    await t.focusOn("Period");
    await t.tabTo("Ask again");
    await Promise.all([t.page.waitForResponse("**/metrics/overview?*"), t.press("Space")]);
    await t.focusOn("Ask again"); // it stays there

    await t.tabTo("New rule");
    const making = t.page.getByRole("dialog", { name: "New rule" });
    for (const [opens, leave] of [["Enter", () => t.press("Escape")], ["Space", async () => {
      await t.tabTo("Cancel");
      await t.press("Enter");
    }]]) {
      await t.press(opens);
      await t.focusOn("Close");
      await leave();
      await making.waitFor({ state: "detached" });
      assert.equal(await t.focused(), "New rule", "focus goes back");
    }
    await t.press("Enter");
    await t.tabTo("Threshold");
    await t.page.keyboard.type("0");
    await t.press("Enter");
    await t.focusOn("Name"); // what is wrong
    await t.page.keyboard.type(name);
    await t.tabTo("Number");
    await t.press("Home");
    await t.tabTo("Is");
    await t.press("ArrowDown");
    await t.tabTo("In");
    await t.press("End");
    await t.tabTo("Watch it");
    await t.press("Space");
    await making.waitFor({ state: "detached" });
    await t.sees(t.page.getByRole("row", { name }).getByText("Requests: at least 0 in a day"));
    assert.equal(await t.focused(), "New rule");
    assert.deepEqual([(await own("acme")).length, (await own("globex")).length], [1, 0]);

    await t.tabTo(`Delete ${name}`, "Shift+Tab");
    const dropping = t.page.getByRole("dialog", { name: "Delete the rule?" });
    await t.press("Enter");
    await t.tabTo("Keep it");
    await t.press("Enter");
    await dropping.waitFor({ state: "detached" });
    assert.equal(await t.focused(), `Delete ${name}`, "focus goes back");
    await t.page.route("**/metrics/alerts/*", (route) => route.fulfill({ status: 503, json: { ok: false, error: { code: "meters_unavailable", message: "the meters do not answer", details: { hint: "try again" } } } }), { times: 1 });
    await t.press("Space");
    await t.tabTo("Delete");
    await t.press("Enter");
    await t.sees(dropping.getByRole("alert").getByText("the meters do not answer"));
    await t.focusOn("Delete"); // once more, then
    await t.press("Enter");
    await t.page.getByRole("row", { name }).waitFor({ state: "detached" });
    await t.focusOn("New rule"); // what had it has gone
    assert.deepEqual(await own("acme"), []);
    t.allow(/status of 503/);
  },

  async "a rule of which a webhook is told"(t) {
    const rule = { id: "r", name: "Letters", metric: "dead_letters", comparator: ">", threshold: 0, period: "1h", state: "firing", since: "2026-11-23T12:00:00Z", value: 2, unit: "events" };
    await t.page.route("**/metrics/alerts", (route) => route.fulfill({ json: { ok: true, data: route.request().method() === "POST" ? { ...rule, toldTo: "webhook" } : { alerts: [rule], toldTo: "webhook" } } }));
    await t.signIn("globex", "metrics");
    const alerts = t.page.getByRole("region", { name: "Alerts" });
    await t.sees(alerts.getByText("The tenant's webhook is told when a rule begins to hold, and when it ends."));
    assert.equal(await t.page.getByText("Nobody is told").count(), 0);
    await alerts.getByRole("button", { name: "New rule" }).click();
    await t.page.getByRole("dialog").getByRole("button", { name: "Watch it" }).click();
    await t.sees(t.page.getByText(/“Letters” is watched from now on\. ✕/));
    await alerts.getByRole("button", { name: "Delete Letters" }).click();
    await t.sees(t.page.getByRole("dialog").getByText("the webhook will be told that it has ended"));
    await t.page.getByRole("dialog").getByRole("button", { name: "Keep it" }).click();
    await t.judge("told");
  },

  async "what is unusual, and what does not answer"(t) {
    await t.page.route("**/metrics/anomalies?*", (route) => route.fulfill({ json: { ok: true, data: {
      period: "24h", from: "2026-11-22T13:00:00Z", to: "2026-11-23T12:30:00Z", stepSeconds: 3600, step: "2026-11-23T11:00:00Z", unusual: 1, steps: 22, boundary: 3.5, checks: [
        { metric: "requests", value: 900, median: 100, score: 12.3, unusual: true, direction: "above" },
        { metric: "failure_rate", value: 0.01, median: 0.01, score: 0, unusual: false },
        { metric: "of_tomorrow", value: 5, median: null, score: null, unusual: false, silent: "too_few_observations" },
      ] } } }));
    await t.page.route("**/metrics/slis?*", (route) => route.fulfill({ status: 503, json: { ok: false, error: { code: "meters_unavailable", message: "the meters do not answer", details: { hint: "try again" } } } }));
    await t.signIn("acme", "metrics");
    await t.sees("above what is usual");
    await t.sees("One number stands out");
    await t.sees(t.page.getByRole("row", { name: "of_tomorrow too few to say 5 – –" }));
    await t.sees(t.page.getByRole("region", { name: "Objectives" }).getByRole("alert"));
    await t.judge("unusual");
    t.allow(/status of 503/);
  },
};
