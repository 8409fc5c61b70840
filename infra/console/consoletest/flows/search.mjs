import assert from "node:assert/strict";

const ask = async (t, question) => {
  await t.page.getByLabel("Question", { exact: true }).and(t.page.getByRole("searchbox")).fill(question);
  await t.page.keyboard.press("Enter");
};
const sources = (t) => t.page.getByRole("region", { name: /source/i });
const more = (t) => t.page.getByRole("button", { name: "More" }).click();

/** shelf is two documents; only one of them has the year. */
async function shelf(t, tenant) {
  for (const [docId, year, text] of [
    ["shelf/valves.md", 2021, "# Valves\n\nBefore it: Größe, Öl, Maß.\n\nThe red valve in the boiler room opens at exactly nine bar of pressure."],
    ["shelf/gauges.md", 2019, "# Gauges\n\nThe brass gauge in the boiler room was calibrated by Ada."],
  ]) await t.api(tenant, "POST", "/ingest?wait=30s", { docId, title: docId.slice(6, -3), contentType: "text/markdown", metadata: { year }, text });
}

export const flows = {
  async "an answer and what it rests on"(t) {
    await shelf(t, "acme");
    await t.signIn("acme", "search");
    await t.sees("Ask the tenant's documents.");
    await t.judge("empty");
    await ask(t, "At which pressure does the red valve in the boiler room open?");
    const answer = await t.sees(t.page.getByRole("region", { name: "Answer" }));
    await t.sees(answer.getByText(/exactly nine bar/));
    await t.sees(answer.getByText(/\d+ % sure/));
    await t.announced(/^Answer, from .*nine bar/s);
    await t.sees(sources(t).getByText(/score 0\.\d\d · meaning 0\.\d\d · words 0\.\d\d/));
    await t.sees(sources(t).locator("mark").getByText("The red valve in the boiler room opens at exactly nine bar of pressure."));
    await t.judge("answered");

    await answer.getByRole("button", { name: /^Source \d+: valves/ }).first().click();
    const dialog = await t.sees(t.page.getByRole("dialog", { name: "valves" }));
    assert.equal(await dialog.locator("mark").textContent(), "The red valve in the boiler room opens at exactly nine bar of pressure.");
    await t.sees(dialog.getByText(/Größe, Öl, Maß/)); // bytes and characters are not the same
    await t.judge("citation");
    await dialog.getByRole("button", { name: "Close" }).click();
    assert.match(await t.focused(), /^Source \d+: valves/, "focus goes back to the marker");

    await sources(t).getByRole("button", { name: /^Show valves in its document/ }).click();
    await t.sees(t.page.getByRole("dialog").locator("mark").getByText("The red valve"));
    await t.page.keyboard.press("Escape");
  },

  async "by words, by meaning, and all at once"(t) {
    await shelf(t, "acme");
    await t.signIn("acme", "search");
    await t.page.getByLabel("Find by").selectOption("Words");
    await t.page.getByLabel("Answer", { exact: true }).selectOption("None, only sources");
    await ask(t, "calibrated brass gauge");
    await t.sees(sources(t).getByText(/score/));
    assert.doesNotMatch(await sources(t).innerText(), /meaning/);
    assert.equal(await t.page.getByRole("region", { name: "Answer" }).count(), 0);
    assert.match(t.page.url(), /mode=keyword/);
    await t.page.getByLabel("Find by").selectOption("Meaning");
    await t.page.getByLabel("Answer", { exact: true }).selectOption("All at once");
    await t.page.getByRole("button", { name: "Search" }).click();
    await t.sees(sources(t).getByText(/meaning/));
    assert.doesNotMatch(await sources(t).innerText(), /· words/);
    await t.sees(t.page.getByRole("region", { name: /Answer|Not known/ }));
    await t.page.getByText(/^Took /).click();
    await t.sees(t.page.getByRole("rowheader", { name: "embed" }));
  },

  async "a filter"(t) {
    await shelf(t, "acme");
    await t.signIn("acme", "search");
    await more(t);
    await t.page.getByLabel("Answer", { exact: true }).selectOption("None, only sources");
    const filter = t.page.getByLabel("Filter");
    await filter.fill('{"year": ');
    await ask(t, "boiler room");
    await t.sees(t.page.getByText(/^This is no JSON/));
    assert.equal(await filter.getAttribute("aria-invalid"), "true");
    await filter.fill('{"colour": "red"}');
    await t.page.getByRole("button", { name: "Search" }).click();
    await t.sees(t.page.locator(".field .wrong").getByText(/searches cannot filter on "colour"/));
    await t.focusOn("Filter"); // what is wrong
    await t.judge("refused");
    await filter.fill('{"year": {"$lt": 2020}}');
    await t.page.getByRole("button", { name: "Search" }).click();
    await t.sees(sources(t).getByText("brass gauge"));
    assert.doesNotMatch(await sources(t).innerText(), /red valve/);
    await filter.fill('{"year": 1900}');
    await t.page.getByRole("button", { name: "Search" }).click();
    await t.sees("Nothing was found.");
    await t.judge("nothing");
  },

  async "not known"(t) {
    await shelf(t, "acme");
    await t.signIn("acme", "search");
    await ask(t, "Who won the chess tournament of Reykjavík?");
    await t.sees(t.page.getByRole("region", { name: "Not known" }));
    await t.sees(t.page.getByText(/What was found does not answer this/));
    await t.announced(/^Not known\./);
    await t.judge("abstained");
  },

  async "from the cache, and anew"(t) {
    await shelf(t, "acme");
    await t.signIn("acme", "search");
    await t.page.getByLabel("Answer", { exact: true }).selectOption("None, only sources");
    await ask(t, "Where is the brass gauge?");
    await t.sees(sources(t).getByText("brass gauge"));
    await t.eventually(async () => {
      await Promise.all([t.page.waitForResponse("**/search"), t.page.getByRole("button", { name: "Search" }).click()]);
      await t.page.getByText(/^Took /).waitFor();
      return (await t.page.getByText("from the cache", { exact: true }).count()) === 1;
    }, "an equal search is remembered");
    await more(t);
    await t.page.getByLabel("Search anew").check();
    await t.page.getByRole("button", { name: "Search" }).click();
    await t.page.getByText("from the cache", { exact: true }).waitFor({ state: "detached" });
    await t.sees(sources(t).getByText("brass gauge"));
  },

  async "an answer that breaks off, and one that fails"(t) {
    await t.signIn("acme", "search");
    let body = 'id: 1\nevent: sources\ndata: {"sources":[]}\n\nid: 2\nevent: token\ndata: {"token":"The half "}\n\n';
    await t.page.route("**/search", (route) => route.fulfill({ contentType: "text/event-stream", body }));
    await ask(t, "What is half?");
    await t.sees(t.page.getByRole("alert").getByText("the answer broke off"));
    await t.sees("The half");
    await t.judge("cut");
    body += 'id: 3\nevent: error\ndata: {"code":"model_unavailable","message":"the model does not answer"}\n\n';
    await t.page.getByRole("button", { name: "Search" }).click();
    await t.sees(t.page.getByRole("alert").getByText("model_unavailable"));
    await t.page.unroute("**/search");
    await t.page.route("**/search", () => {});
    await t.page.getByRole("button", { name: "Search" }).click();
    await t.page.getByRole("button", { name: "Stop" }).click();
    await t.sees("Stopped. What had come by then is here.");
    assert.equal(await t.focused(), "Question");
  },

  async "a key that may only search"(t) {
    await shelf(t, "acme");
    await t.page.route("**/whoami", async (route) => {
      const response = await route.fetch(), answer = await response.json();
      await route.fulfill({ response, json: { ...answer, data: { ...answer.data, scopes: ["search"] } } });
    });
    await t.signIn("acme", "search");
    assert.deepEqual(await t.page.getByRole("navigation", { name: "Pages" }).getByRole("link").allTextContents(), ["Overview", "Search"]);
    const asked = [];
    t.page.on("request", (request) => request.url().includes("/documents/") && asked.push(request.url()));
    await ask(t, "At which pressure does the red valve in the boiler room open?");
    await t.page.getByRole("button", { name: /^Source \d+: valves/ }).first().click();
    await t.sees(t.page.getByRole("dialog").getByText(/does not hold the scope documents/));
    await t.sees(t.page.getByRole("dialog").getByText(/opens at exactly nine bar/));
    assert.deepEqual(asked, []);
  },

  async "another tenant finds nothing of it"(t) {
    await shelf(t, "acme");
    await t.signIn("acme", "search");
    await t.page.getByLabel("Answer", { exact: true }).selectOption("None, only sources");
    await ask(t, "red valve");
    await t.sees(sources(t).getByText("red valve"));
    await t.signInAs("globex");
    await t.sees("Ask the tenant's documents.");
    assert.doesNotMatch(await t.page.locator("body").innerText(), /nine bar/);
    await t.page.getByLabel("Answer", { exact: true }).selectOption("None, only sources");
    await ask(t, "red valve in the boiler room");
    await t.page.getByText(/^Took /).waitFor();
    assert.doesNotMatch(await t.page.getByRole("main").innerText(), /nine bar/);
  },
};
