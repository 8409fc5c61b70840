import assert from "node:assert/strict";

const file = (name, text, mimeType = "text/plain") => ({ name, mimeType, buffer: Buffer.from(text) });

export const flows = {
  async "the list"(t) {
    await t.api("acme", "POST", "/ingest?wait=30s", { docId: "list/good.md", title: "A good one", text: "Good.", contentType: "text/markdown", source: "list" });
    await t.api("acme", "POST", "/ingest?wait=30s", { docId: "list/broken.pdf", base64: "JVBERi0xLjcKbm90aGluZw==", contentType: "application/pdf", source: "list" });
    await t.signIn("acme", "documents");
    await t.page.getByLabel("Id begins with").fill("list/");
    await t.page.keyboard.press("Enter");
    await t.sees(t.row(/A good one/).getByText("indexed"));
    assert.equal(await t.focused(), "Id begins with", "focus stays where one types");
    assert.match(await t.row(/A good one/).innerText(), /yes/);
    assert.match(await t.row(/list\/broken/).innerText(), /failed\s+no: failed/);
    await t.judge("list");
    await t.page.getByLabel("State").selectOption("cancelled");
    await t.sees("No document is like that.");
    assert.match(t.page.url(), /state=cancelled&prefix=list%2F/);
    await t.page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Documents" }).click();
    await t.eventually(async () => (await t.page.getByLabel("Id begins with").inputValue()) === "", "the form says what is shown");
    assert.equal(await t.page.getByLabel("State").inputValue(), "");
  },

  async "focus goes along, there and back"(t) {
    await t.api("acme", "POST", "/ingest?wait=30s", { docId: "along/there.txt", title: "There", text: "And back." });
    const { jobId } = await t.api("acme", "GET", "/documents/along%2Fthere.txt");
    await t.signIn("acme", "documents?prefix=along%2F");
    await t.page.getByRole("link", { name: "There" }).press("Enter");
    await t.focusOn("There");
    await t.page.goBack();
    await t.focusOn("Documents");
    for (const [link, title] of [["Add a text", "Add a text"], ["All documents", "Documents"], ["Upload files", "Upload files"], ["All documents", "Documents"]]) {
      await t.page.getByRole("link", { name: link }).press("Enter");
      await t.focusOn(title);
    }
    await t.open(`jobs/${jobId}`);
    await t.focusOn("main"); // of another page
    await t.page.getByRole("link", { name: "All jobs" }).press("Enter");
    await t.focusOn("Jobs");
    await t.page.getByRole("link", { name: "along/there.txt" }).first().press("Enter");
    await t.focusOn("along/there.txt");
  },

  async "the next page, while the list asks again by itself"(t) {
    const some = (docId) => ({ docId, state: "chunked", generation: 1, searchable: 0, notSearchable: { code: "indexing", message: "it is being indexed" }, bytes: 1, chunks: 1, updatedAt: "2026-11-23T10:00:00Z" });
    let asked = 0, answer;
    await t.page.clock.install();
    await t.page.route("**/documents?*", async (route) => {
      const further = new URL(route.request().url()).searchParams.has("cursor");
      if (further) await new Promise((come) => (answer = come));
      else asked++;
      await route.fulfill({ json: { ok: true, data: further ? { documents: [some("b")] } : { documents: [some("a")], next: "b" } } });
    });
    await t.signIn("acme", "documents");
    await t.page.getByRole("button", { name: "Show more" }).focus();
    const before = asked;
    await t.page.clock.fastForward(5_000);
    await t.eventually(() => asked > before, "it asks again by itself");
    assert.equal(await t.focused(), "Show more", "the button stays");
    await t.page.keyboard.press("Enter");
    await t.eventually(() => answer, "the page is asked for");
    const during = asked;
    await t.page.clock.fastForward(30_000);
    assert.equal(await t.focused(), "Loading…");
    answer();
    await t.sees(t.row("b"));
    assert.equal(asked, during, "it waits for the page that is under way");
    await t.sees("That is all of it.");
    assert.equal(await t.focused(), "That is all of it.");
  },

  async "why it is not searchable"(t) {
    await t.api("acme", "POST", "/ingest?wait=30s", { docId: "why/report.pdf", title: "Report", text: "The first generation was fine.", metadata: { year: 2026 } });
    await t.api("acme", "POST", "/ingest?wait=30s", { docId: "why/report.pdf", title: "Report", base64: "JVBERi0xLjcKbm90aGluZw==", contentType: "application/pdf" });
    await t.signIn("acme", "documents/why%2Freport.pdf");
    await t.sees(t.page.getByRole("heading", { name: "Report", level: 1 }));
    const why = await t.sees(t.page.locator(".note").filter({ hasText: "Why it is not searchable:" }));
    assert.match(await why.innerText(), /document_broken.*open it in a program.*at the stage chunk/s);
    await t.sees("searches still show generation 1");
    const stages = t.page.getByRole("region", { name: "Stages of generation 2" });
    await t.sees(stages.getByRole("rowheader", { name: "submit" }));
    await t.sees(stages.getByText("document_broken"));
    await t.sees(t.page.getByRole("region", { name: "Generations, the newest first" }).getByRole("rowheader", { name: "1 searchable" }));
    await t.judge("ledger");
  },

  async "a passage in its document"(t) {
    const text = `${"Grüße. ".repeat(2000)}The hidden words. ${"Öl. ".repeat(2000)}`, start = Buffer.byteLength("Grüße. ".repeat(2000));
    await t.api("acme", "POST", "/ingest?wait=30s", { docId: "long/text.txt", text });
    await t.signIn("acme", `documents/long%2Ftext.txt?start=${start}&end=${start + 17}`);
    await t.sees(t.page.locator("mark").getByText("The hidden words."));
    assert.ok(await t.page.locator("mark").evaluate((mark) => mark.offsetTop - mark.parentElement.offsetTop > 0), "it is there");
    assert.doesNotMatch(await t.page.locator(".text").textContent(), /\uFFFD/, "no character is cut in two");
    const before = (await t.page.locator(".text").textContent()).length;
    await t.page.getByRole("button", { name: /^What follows/ }).click();
    await t.eventually(async () => (await t.page.locator(".text").textContent()).length > before, "there is more");
    await t.page.getByRole("button", { name: /^What is before it/ }).click();
    await t.page.getByRole("button", { name: /^What is before it/ }).waitFor({ state: "detached" });
    assert.match(await t.page.locator(".text").textContent(), /^Grüße/);
  },

  async "add a text"(t) {
    await t.signIn("acme", "documents");
    await t.page.getByRole("link", { name: "Add a text" }).click();
    await t.page.getByLabel("Text", { exact: true }).fill("# Ada\n\nAda wrote the first program.");
    await t.page.getByLabel("Title").fill("Ada");
    await t.page.getByLabel("Type").selectOption("Markdown");
    await t.page.getByLabel("Id", { exact: true }).fill("not an id");
    await t.page.getByLabel("Metadata").fill("[1]");
    await t.page.getByRole("button", { name: "Add the document" }).click();
    await t.sees(t.page.getByText(/^This is JSON, but no object/));
    await t.page.getByLabel("Metadata").fill('{"year": 1843}');
    await t.page.getByRole("button", { name: "Add the document" }).click();
    await t.sees(t.page.locator(".wrong").getByText(/is not a document id/));
    assert.equal(await t.page.getByLabel("Id", { exact: true }).getAttribute("aria-invalid"), "true");
    await t.focusOn("Id"); // what is wrong
    await t.judge("refused");
    const id = `people/ada-${Date.now()}.md`;
    await t.page.getByLabel("Id", { exact: true }).fill(id);
    const cut = [];
    t.page.on("requestfailed", (request) => request.url().endsWith(encodeURIComponent(id)) && cut.push(request.failure().errorText));
    await t.page.getByRole("button", { name: "Add the document" }).click();
    await t.sees(t.page.getByRole("heading", { name: "Ada", level: 1 }));
    await t.sees("– searches show it"); // it has become that while one looked on
    assert.deepEqual(cut, [], "one question after the other");
    await t.sees("year: 1843");
    await t.sees(t.page.locator(".text").getByText(/Ada wrote the first program\./));
    assert.equal((await t.api("acme", "GET", `/documents/${encodeURIComponent(id)}`)).state, "indexed");
    await t.judge("added");
  },

  async "upload many files"(t) {
    await t.signIn("acme", "documents?add=files");
    await t.judge("nothing-chosen");
    const run = `up-${Date.now()}/`;
    await t.page.getByLabel("Files").setInputFiles([
      file("Über uns (neu).md", "# About\n\nWe make pumps.", "text/markdown"), file("notes.txt", "Notes about valves."), file("notes.txt", "Other notes, of the same name."),
      file("broken.pdf", "%PDF-1.7\nnothing", "application/pdf"), file("not-wanted.txt", "Leave me."),
    ]);
    await t.page.getByRole("button", { name: "Leave out not-wanted.txt" }).click();
    await t.page.getByLabel("Ids begin with").fill(run);
    await t.sees(t.page.getByText(`${run}Uber-uns-neu-.md`));
    await t.sees(t.page.getByText(`${run}notes-2.txt`));
    await t.judge("chosen");
    await t.page.getByRole("button", { name: "Upload 4 files" }).click();
    await t.sees(t.page.getByRole("heading", { name: "What was sent" }));
    assert.equal(await t.focused(), "What was sent");
    await t.sees(t.page.getByText("3 of 4 documents done, 1 failed"));
    await t.sees(t.page.getByRole("region", { name: "Documents that failed" }).getByText("document_broken"));
    await t.announced(/^The import has /);
    await t.judge("sent");
    const { documents } = await t.api("acme", "GET", `/documents?prefix=${run}&state=indexed`);
    assert.deepEqual(documents.map((d) => d.docId), [`${run}Uber-uns-neu-.md`, `${run}notes-2.txt`, `${run}notes.txt`]);
    assert.deepEqual(documents.map((d) => d.contentType), ["text/markdown", "text/plain", "text/plain"]);
  },

  async "an upload takes its time, and can be stopped"(t) {
    await t.signIn("acme", "documents?add=files");
    const cdp = await t.context.newCDPSession(t.page);
    await cdp.send("Network.enable");
    await cdp.send("Network.emulateNetworkConditions", { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 100_000 });
    await t.page.getByLabel("Files").setInputFiles([file("big.txt", "All work and no play. ".repeat(20_000))]);
    await t.page.getByRole("button", { name: "Upload 1 file" }).click();
    const bar = t.page.getByRole("progressbar", { name: /^Sending/ });
    await t.eventually(async () => (await bar.getAttribute("value")) > 5, "it goes on");
    assert.ok((await bar.getAttribute("value")) < 100);
    await t.judge("sending");
    const late = async () => t.page.locator(".drop").dispatchEvent("drop", { dataTransfer: await t.page.evaluateHandle(() => {
      const held = new DataTransfer();
      held.items.add(new File(["Late."], "late.txt"));
      return held;
    }) });
    await late(); // what is dropped while files go would not go along
    assert.equal(await t.page.getByText("late.txt").count(), 0);
    await t.page.getByRole("button", { name: "Stop" }).click();
    await bar.waitFor({ state: "detached" });
    assert.equal(await t.focused(), "Files");
    await t.sees(t.page.getByRole("button", { name: "Upload 1 file" })); // what was chosen is still there
    await late();
    await t.sees(t.page.getByRole("button", { name: "Upload 2 files" }));
  },

  async "delete, with its receipt"(t) {
    await t.api("acme", "POST", "/ingest?wait=30s", { docId: "gone/soon.txt", text: `Soon gone, ${Date.now()}.` });
    await t.signIn("acme", "documents/gone%2Fsoon.txt");
    await t.page.getByRole("button", { name: "Delete" }).click();
    await t.judge("asked");
    await t.page.keyboard.press("Escape");
    assert.equal(await t.focused(), "Delete");
    assert.notEqual((await t.api("acme", "GET", "/documents/gone%2Fsoon.txt")).state, "deleted");
    await t.page.keyboard.press("Enter");
    await t.page.getByRole("button", { name: "Delete the document" }).click();
    await t.sees(t.page.getByRole("heading", { name: "Deleted" }));
    const erasure = t.page.getByRole("region", { name: "Deleted" });
    await erasure.getByText("succeeded").waitFor({ timeout: 30_000 });
    assert.match(await erasure.innerText(), /Still there\s+nothing, asked/);
    await t.focusOn("gone/soon.txt"); // what had it is of no use any more
    await t.judge("receipt");
    assert.equal((await t.api("acme", "GET", "/documents/gone%2Fsoon.txt")).state, "deleted");
  },

  async "an API that fails"(t) {
    await t.signIn("acme");
    for (const [page, path] of [["documents", "**/documents?*"], ["jobs", "**/jobs?*"], ["chat", "**/sessions?*"]]) {
      await t.page.route(path, (route) => route.fulfill({
        status: 503, headers: { "x-request-id": "5b7b2cec-f5a7-439a-a407-647e52ac17c6" }, json: { ok: false, error: { code: "ledger_unavailable", message: "the ledger does not answer", details: { hint: "come back in a moment" }, traceId: "0".repeat(31) + "1" } },
      }));
      await t.open(page);
      const alert = await t.sees(t.page.getByRole("alert"));
      assert.match(await alert.innerText(), /the ledger does not answer ledger_unavailable.*come back in a moment.*Trace\s+0+1.*5b7b2cec/s);
      await t.page.unroute(path);
      await alert.getByRole("button", { name: "Try again" }).click();
      await alert.waitFor({ state: "detached" });
    }
    t.allow(/status of 503/);
  },

  async "another tenant's document"(t) {
    await t.api("acme", "POST", "/ingest?wait=30s", { docId: "secret/of-acme.txt", text: "Only Acme reads this." });
    await t.signIn("acme", "documents/secret%2Fof-acme.txt");
    await t.sees(t.page.locator(".text").getByText("Only Acme reads this."));
    await t.signInAs("globex");
    await t.sees(t.page.getByRole("alert").getByText("document_not_found"));
    assert.doesNotMatch(await t.page.locator("body").innerText(), /Only Acme/);
    await t.page.getByRole("link", { name: "All documents" }).click();
    await t.page.getByText(/Loading/).waitFor({ state: "detached" });
    assert.doesNotMatch(await t.page.getByRole("main").innerText(), /of-acme/);
  },
};
