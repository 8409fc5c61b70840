import assert from "node:assert/strict";
import { wire } from "../wire.mjs";

/** slow is a document that takes its time: nobody has its address. */
const slow = (t, tenant, docId) => t.api(tenant, "POST", "/ingest", { docId, url: "https://nobody.example.com/page.html" });

export const flows = {
  async "the list, live"(t) {
    await t.api("acme", "POST", "/ingest?wait=30s", { docId: "jobs/before.txt", text: "What was there before." });
    await t.signIn("acme", "jobs");
    await t.sees(t.row("jobs/before.txt").first().getByText("succeeded"));
    await t.judge("list");
    await t.api("acme", "POST", "/ingest", { docId: "jobs/after.txt", text: "What came after." });
    await t.page.getByRole("button", { name: "Ask again" }).click();
    await t.sees(t.row("jobs/after.txt").first());
    await t.sees(t.row("jobs/after.txt").first().getByText("succeeded")); // nobody asked for it
    await t.page.getByLabel("State").selectOption("failed");
    await t.page.getByLabel("Kind").selectOption("reembed");
    await t.sees("No job is like that.");
    assert.match(t.page.url(), /#\/jobs\?kind=reembed&state=failed/);
  },

  async "an import with mistakes, until its end"(t) {
    const lines = [{ docId: "batch/good.txt", text: "A good line." }, { docId: "batch/bad id", text: "Its id has a space." }, { docId: "batch/broken.pdf", base64: "JVBERi0xLjcKbm90aGluZw==", contentType: "application/pdf" }];
    const response = await fetch(`${t.url}/ingest/batch`, { method: "POST", headers: { authorization: `Bearer ${t.keys.acme}`, "content-type": "application/x-ndjson" }, body: lines.map((line) => JSON.stringify(line)).join("\n") });
    const { data } = await response.json();
    await t.signIn("acme", `jobs/${data.jobId}`);
    await t.page.getByText(/^(succeeded|failed)$/).first().waitFor({ timeout: 30_000 });
    await t.sees(t.page.getByRole("rowheader", { name: /line 2/ }));
    await t.sees(t.page.getByRole("rowheader", { name: /batch\/broken\.pdf/ }));
    await t.announced(/^The job has /);
    await t.judge("ended");
    await t.page.getByRole("link", { name: "The jobs of its documents" }).click();
    await t.sees(t.row("batch/good.txt").first());
    assert.equal(await t.row("jobs/before.txt").count(), 0);
  },

  async "cancel"(t) {
    const { jobId } = await slow(t, "acme", "jobs/slow.html");
    await t.signIn("acme", `jobs/${jobId}`);
    await t.sees(t.page.getByText(/^(queued|running)$/));
    await t.page.getByRole("button", { name: "Cancel" }).click();
    await t.judge("asked");
    await t.page.getByRole("button", { name: "Let it go on" }).click();
    assert.equal(await t.focused(), "Cancel");
    await t.page.keyboard.press("Enter");
    await t.page.getByRole("button", { name: "Cancel the job" }).click();
    await t.sees("The job was cancelled.");
    await t.sees(t.page.getByText("cancelled", { exact: true }));
    await t.page.getByRole("button", { name: "Cancel", exact: true }).waitFor({ state: "detached" });
    await t.focusOn("jobs/slow.html"); // what had it is of no use any more
    assert.equal((await t.api("acme", "GET", `/jobs/${jobId}`)).state, "cancelled");
  },

  async "a connection that is cut"(t) {
    const { jobId } = await slow(t, "acme", "jobs/cut.html"), line = await wire(t.url);
    t.url = line.url;
    try {
      await t.signIn("acme", `jobs/${jobId}`);
      await t.sees(t.page.getByText(/^(queued|running)$/));
      line.cut();
      await t.sees(t.page.getByText(/The connection was cut\./));
      await t.judge("cut");
      line.mend();
      await t.api("acme", "DELETE", `/jobs/${jobId}`);
      await t.sees(t.page.getByText("cancelled", { exact: true }));
      assert.equal(await t.page.getByText(/The connection was cut\./).count(), 0);
    } finally {
      line.close();
    }
    t.allow(/net::ERR_/);
  },

  async "another tenant's job"(t) {
    const { jobId } = await t.api("acme", "POST", "/ingest?wait=30s", { docId: "jobs/of-acme.txt", text: "Only Acme's." });
    await t.signIn("globex", `jobs/${jobId}`);
    await t.sees(t.page.getByRole("alert").getByText("job_not_found"));
    await t.judge("not-found");
    await t.page.getByRole("link", { name: "All jobs" }).click();
    await t.page.getByText(/Loading/).waitFor({ state: "detached" });
    assert.doesNotMatch(await t.page.getByRole("main").innerText(), /acme/i);
  },
};
