import assert from "node:assert/strict";

// The platform of these tests has models that refuse every text with this word (console_test.go).
const word = "unspeakable";

/** fail submits a document that becomes a dead letter, and answers the letter. */
async function fail(t, tenant, docId) {
  await t.api(tenant, "POST", "/ingest", { docId, title: "Refused", text: `The ${word} channel has no water.` });
  let letter;
  await t.eventually(async () => ([letter] = (await t.api(tenant, "GET", `/events?docId=${docId}&replayed=false`)).letters).length > 0, "it is given up");
  return letter;
}

export const flows = {
  async "a letter is sent again"(t) {
    const docId = `refused-${Date.now()}`;
    const letter = await fail(t, "acme", docId);
    await t.signIn("acme", "letters");
    const listed = (table, name, what) => t.eventually(async () => {
      await t.page.getByRole("button", { name: "Ask again" }).click();
      return t.page.getByRole("table", { name: table }).getByRole("row", { name }).count();
    }, what);
    await listed("Since the tenant's first event", /^embed/, "the handler is listed"); // what is counted is told some seconds later
    await listed("Given up since then", /^embed [1-9]/, "so is what was given up in its queue"); // its letter is counted when it is buried, and told with what comes after
    await t.sees(t.page.getByRole("table", { name: "The newest first" }).getByRole("row", { name: new RegExp(docId) }));
    await t.judge("queues");
    await t.page.getByLabel("Document").fill(docId);
    await t.page.getByLabel("Stage").selectOption("embed");
    await t.page.getByRole("button", { name: "Filter", exact: true }).click();
    await t.sees(t.page.getByText("1 letter:"));
    assert.equal(await t.page.getByRole("table", { name: "The newest first" }).getByRole("row").count(), 2);
    await t.page.getByRole("link", { name: letter.code, exact: true }).click();
    await t.sees(t.page.getByRole("region", { name: "The message, as it was delivered" }).getByText('"specversion": "1.0"'));
    await t.sees(t.page.getByText(word).first());
    assert.equal(await t.page.getByRole("link", { name: letter.traceparent.slice(3, 35) }).getAttribute("href"), `#/traces/${letter.traceparent.slice(3, 35)}`);
    await t.judge("letter");
    await t.page.getByRole("button", { name: "Send again…" }).click();
    const dialog = t.page.getByRole("dialog", { name: "Send again?" });
    await t.sees(dialog.getByText("1 letter", { exact: true }));
    await t.judge("asked");
    await dialog.getByRole("button", { name: "Cancel" }).click();
    assert.equal((await t.api("acme", "GET", `/events?docId=${docId}&replayed=true`)).letters.length, 0, "counting sends nothing");
    await t.page.getByRole("button", { name: "Send again…" }).click();
    await dialog.getByRole("button", { name: "Send 1 letter again" }).click();
    await t.sees(dialog.getByText("1 letter sent again."));
    await t.focusOn("Done");
    await dialog.getByRole("button", { name: "Done" }).click();
    await t.page.getByRole("button", { name: "Send again…" }).waitFor({ state: "detached" });
    assert.deepEqual((await t.api("acme", "GET", `/events?docId=${docId}&replayed=true`)).letters.map((l) => l.id), [letter.id]);
    assert.equal((await t.api("globex", "GET", `/events?docId=${docId}`)).letters.length, 0);
  },

  async "found, counted and sent again by keyboard"(t) {
    const docId = `by-keyboard-${Date.now()}`;
    const letter = await fail(t, "acme", docId);
    await t.signIn("acme", "letters");
    await t.sees(t.page.getByRole("table", { name: "The newest first" }));
    await t.tabTo("Ask again");
    await Promise.all([t.page.waitForResponse("**/events?*"), t.press("Enter")]);
    await t.focusOn("Ask again"); // it stays there
    await t.tabTo("From");
    await t.page.keyboard.type("02022026"); // that day and month are equal: which is first is the system's matter
    await t.tabTo("Before");
    await t.page.keyboard.type("01012026");
    await t.tabTo("Filter");
    await t.press("Enter");
    await t.focusOn("Before"); // what is wrong
    assert.equal(await t.page.getByLabel("Before").getAttribute("aria-invalid"), "true");
    await t.tabTo("All");
    await t.press("Enter");
    await t.sees(t.page.getByRole("table", { name: "The newest first" }));
    assert.equal(await t.focused(), "All", "focus stays");
    await t.tabTo("Document", "Shift+Tab");
    await t.page.keyboard.type(docId);
    await t.press("Enter");
    await t.sees("1 letter:");
    await t.focusOn("Document");
    await t.tabTo(letter.code);
    await t.press("Enter");
    await t.sees(t.page.getByRole("heading", { name: letter.code, level: 1 }));
    await t.focusOn(letter.code);

    await t.tabTo("Send again…");
    const dialog = t.page.getByRole("dialog", { name: "Send again?" });
    const sent = async (tenant) => (await t.api(tenant, "GET", `/events?docId=${docId}&replayed=true`)).letters.map((l) => l.id);
    for (const [opens, leave] of [["Enter", () => t.press("Escape")], ["Space", async () => {
      await t.tabTo("Cancel");
      await t.press("Enter");
    }]]) {
      await t.press(opens);
      await t.sees(dialog.getByText("1 letter", { exact: true })); // the dry run
      await t.focusOn("Close");
      await leave();
      await dialog.waitFor({ state: "detached" });
      assert.equal(await t.focused(), "Send again…", "focus goes back");
    }
    assert.deepEqual(await sent("acme"), [], "counting sends nothing");
    await t.press("Enter");
    await t.sees(dialog.getByText("1 letter", { exact: true }));
    await t.tabTo("Send 1 letter again");
    await t.press("Enter");
    await t.focusOn("Done");
    await t.press("Enter");
    await t.page.getByRole("button", { name: "Send again…" }).waitFor({ state: "detached" });
    await t.focusOn(letter.code); // the title: what had it is of no use any more
    assert.deepEqual(await sent("acme"), [letter.id]);
    assert.deepEqual(await sent("globex"), []);
  },

  async "another tenant's letter is none"(t) {
    const letter = await fail(t, "acme", `theirs-${Date.now()}`);
    await t.signIn("globex", `letters/${letter.id}`);
    await t.sees(t.page.getByRole("alert").getByText("letter_not_found"));
    await t.page.getByRole("link", { name: "All queues" }).click();
    await t.sees(t.page.getByRole("region", { name: "Dead letters" }).getByText(/There are none|The newest first/));
    assert.equal(await t.page.getByText(letter.docId).count(), 0);
    await t.judge("none");
  },

  async "many are sent page by page, and what fails can go on"(t) {
    let calls = 0;
    const bodies = [];
    await t.page.route("**/events?*", (route) => route.fulfill({ json: { ok: true, data: { letters: [], count: { total: 150, types: {}, codes: { model_refused: 150 }, stages: { embed: 150 } } } } }));
    await t.page.route("**/events/replay", (route) => {
      const body = route.request().postDataJSON();
      bodies.push(body);
      if (body.dryRun) return route.fulfill({ json: { ok: true, data: { dryRun: true, matched: 150, replayed: 0, skipped: [], remaining: 150, count: { total: 150, types: {}, codes: { model_refused: 150 }, stages: { embed: 150 } } } } });
      if (++calls === 2) return route.fulfill({ status: 503, json: { ok: false, error: { code: "queue_unavailable", message: "the queue does not answer", details: { hint: "go on in a moment" } } } });
      return route.fulfill({ json: { ok: true, data: calls === 1 ? { matched: 150, replayed: 100, skipped: [], remaining: 50, next: "c1" } : { matched: 50, replayed: 49, skipped: [{ id: "x", code: "letter_unreadable", message: "cannot be read" }], remaining: 1 } } });
    });
    await t.signIn("acme", "letters?reason=model_refused&from=2026-11-01");
    await t.page.getByRole("button", { name: "Send these again…" }).click();
    const dialog = t.page.getByRole("dialog");
    await dialog.getByRole("button", { name: "Send 150 letters again" }).click();
    await t.sees(dialog.getByRole("alert").getByText("the queue does not answer"));
    await t.sees(dialog.getByText("100 letters sent again."));
    await t.judge("stopped");
    await t.tabTo("Go on");
    await t.press("Enter");
    await t.sees(dialog.getByText("149 letters sent again, 1 skipped."));
    await t.sees(dialog.getByText("cannot be read"));
    const meant = { codes: ["model_refused"], from: "2026-11-01" };
    assert.deepEqual(bodies, [{ ...meant, dryRun: true }, { ...meant, limit: 100 }, { ...meant, limit: 100, cursor: "c1" }, { ...meant, limit: 100, cursor: "c1" }]);
    t.allow(/status of 503/);
  },
};
