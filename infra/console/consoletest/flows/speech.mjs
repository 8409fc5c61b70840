import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

export const flows = {
  async "a text is spoken"(t) {
    await t.signIn("acme", "speech");
    const stamp = String(Date.now());
    await t.page.getByLabel("Text", { exact: true }).fill(`# One\n\nHello there, it is ${stamp}.\n\n# Two\n\nGood bye.`);
    await t.page.getByLabel("Voice").selectOption("zeus");
    await t.page.getByLabel(/^Speed/).fill("1.5");
    await t.sees(t.page.getByText("Speed: 1.5×"));
    await t.judge("form");
    await t.page.getByRole("button", { name: "Speak" }).click();
    await t.sees(t.page.getByRole("heading", { name: "Spoken text" }));
    assert.equal(await t.focused(), "Spoken text", "focus goes to what appeared");
    const player = t.page.getByLabel("The spoken text");
    await t.sees(player);
    await t.announced(/^The text is spoken\.$/);
    await t.eventually(() => player.evaluate((audio) => audio.duration > 0.5), "there is a sound");
    const chapters = t.page.getByRole("list", { name: "Chapters" });
    assert.deepEqual(await chapters.getByRole("button").allTextContents(), ["One", "Two"]);
    await chapters.getByRole("button", { name: "Two" }).click();
    await t.eventually(() => player.evaluate((audio) => audio.currentTime > 0), "it goes there");
    await player.evaluate((audio) => audio.pause());
    const [download] = await Promise.all([t.page.waitForEvent("download"), t.page.getByRole("link", { name: "Download" }).click()]);
    assert.match(download.suggestedFilename(), /^speech-.*\.wav$/);
    assert.equal(readFileSync(await download.path()).subarray(0, 4).toString(), "RIFF");
    await t.judge("player");
    const id = t.page.url().split("/").at(-1);
    const { voice, speed } = await t.api("acme", "GET", `/tts/jobs/${id}`);
    assert.deepEqual([voice, speed], ["zeus", 1.5]);
    await t.page.getByRole("link", { name: "All speech" }).click();
    await t.sees(t.page.getByRole("row", { name: /succeeded zeus, wav, 1.5×/ }));
    await t.judge("list");

    await t.page.getByRole("button", { name: "Sign out" }).click();
    await t.signIn("globex", `speech/${id}`);
    await t.sees(t.page.getByRole("alert")); // another tenant's is none
    assert.equal(await t.page.getByText("zeus").count(), 0);
  },

  async "what cannot be spoken"(t) {
    await t.signIn("acme", "speech");
    await t.page.getByRole("button", { name: "Speak" }).click();
    await t.sees(t.page.getByText(/^text: /));
    await t.focusOn("Text"); // what is wrong
    await t.judge("nothing");
    await t.page.getByLabel("Text", { exact: true }).fill("An unspeakable thing.");
    await t.page.getByRole("button", { name: "Speak" }).click();
    await t.sees(t.page.getByRole("heading", { name: "failed" }));
    await t.sees(t.page.getByRole("alert"));
    await t.judge("failed");
  },

  async "progress, and cancelling it"(t) {
    const job = { jobId: "j1", state: "running", statusUrl: "/tts/jobs/j1", characters: 1000, spoken: 250, percent: 25, format: "wav", voice: "zeus", model: "m", speed: 1, cost: { characters: 250, nanoUSD: 7_500_000 }, createdAt: "2026-11-23T10:00:00Z", updatedAt: "2026-11-23T10:00:00Z", durationMs: 0, bytes: 0, chapters: [], timestamps: [] };
    await t.page.route("**/tts/jobs/j1", (route) => {
      if (route.request().method() === "DELETE") Object.assign(job, { state: "cancelled" });
      else if (job.state === "running") job.percent = (job.spoken = Math.min(900, job.spoken + 50)) / 10;
      return route.fulfill({ json: { ok: true, data: job } });
    });
    await t.signIn("globex", "speech/j1");
    const progress = await t.sees(t.page.getByRole("progressbar", { name: "Spoken" }));
    await t.eventually(async () => Number(await progress.getAttribute("value")) > 35, "it goes on by itself");
    await t.judge("running");
    await t.page.getByRole("button", { name: "Cancel…" }).click();
    await t.page.getByRole("dialog").getByRole("button", { name: "Go on speaking" }).click();
    await t.page.getByRole("button", { name: "Cancel…" }).click();
    await t.page.getByRole("dialog").getByRole("button", { name: "Cancel it" }).click();
    await t.sees(t.page.getByRole("heading", { name: "cancelled" }));
    assert.equal(await t.page.getByRole("progressbar").count(), 0);
  },

  async "a text is spoken by keyboard"(t) {
    await t.signIn("acme", "speech");
    await t.sees(t.page.getByLabel("Text", { exact: true }));
    await t.tabTo("Text");
    await t.page.keyboard.type(`# One\n\nBy keys, ${Date.now()}.\n\n# Two\n\nGood bye.`);
    await t.tabTo("Voice");
    await t.press("Home");
    const voice = await t.page.getByLabel("Voice").inputValue();
    await t.press("ArrowDown");
    assert.notEqual(await t.page.getByLabel("Voice").inputValue(), voice);
    await t.tabTo("Speed: 1×");
    await t.press("ArrowRight", "ArrowRight");
    assert.equal(await t.focused(), "Speed: 1.1×");
    await t.tabTo("Speak");
    await t.press("Enter");
    await t.focusOn("Spoken text");
    const player = await t.sees(t.page.getByLabel("The spoken text"));
    await t.eventually(() => player.evaluate((audio) => audio.duration > 0.5), "there is a sound");
    await player.evaluate((audio) => audio.addEventListener("playing", () => (globalThis.played = audio.currentTime), { once: true }));
    await t.tabTo("The spoken text");
    await t.press("Space");
    await t.eventually(() => t.page.evaluate(() => globalThis.played !== undefined), "it plays");
    await t.tabTo("Two");
    await t.press("Enter");
    await t.eventually(() => player.evaluate((audio) => audio.currentTime > 0), "it goes there");
    await player.evaluate((audio) => audio.pause());
    assert.equal(await t.focused(), "Two");
    await t.tabTo("All speech", "Shift+Tab");
    await t.press("Enter");
    await t.focusOn("Speech");
    await t.tabTo("Ask again");
    await Promise.all([t.page.waitForResponse("**/tts/jobs?*"), t.press("Enter")]);
    await t.focusOn("Ask again"); // it stays there
  },

  async "what is being spoken is cancelled by keyboard"(t) {
    const job = { jobId: "j3", state: "running", statusUrl: "/tts/jobs/j3", characters: 1000, spoken: 250, percent: 25, format: "wav", voice: "zeus", model: "m", speed: 1, cost: { characters: 250, nanoUSD: 7_500_000 }, createdAt: "2026-11-23T10:00:00Z", updatedAt: "2026-11-23T10:00:00Z", durationMs: 0, bytes: 0, chapters: [], timestamps: [] };
    let asked = 0;
    await t.page.route("**/tts/jobs/j3", (route) => {
      if (route.request().method() === "DELETE" && ++asked === 1) return route.fulfill({ status: 503, json: { ok: false, error: { code: "speech_unavailable", message: "the speaker does not answer", details: { hint: "try again" } } } });
      if (asked === 2) job.state = "cancelled";
      return route.fulfill({ json: { ok: true, data: job } });
    });
    await t.signIn("globex", "speech/j3");
    await t.sees(t.page.getByRole("progressbar", { name: "Spoken" }));
    await t.tabTo("Cancel…");
    const dialog = t.page.getByRole("dialog", { name: "Cancel it?" });
    for (const [opens, leave] of [["Enter", () => t.press("Escape")], ["Space", async () => {
      await t.tabTo("Go on speaking");
      await t.press("Enter");
    }]]) {
      await t.press(opens);
      await t.focusOn("Close");
      await leave();
      await dialog.waitFor({ state: "detached" });
      assert.equal(await t.focused(), "Cancel…", "focus goes back");
    }
    assert.equal(asked, 0);
    await t.press("Enter");
    await t.tabTo("Cancel it");
    await t.press("Enter");
    await t.sees(dialog.getByRole("alert").getByText("the speaker does not answer"));
    await t.focusOn("Cancel it"); // once more, then
    await t.press("Enter");
    await t.sees(t.page.getByRole("heading", { name: "cancelled" }));
    await t.focusOn("Spoken text"); // what had it is of no use any more
    assert.equal(asked, 2);
    t.allow(/status of 503/);
  },

  async "a large sound is loaded when it is asked for, and what fails is said"(t) {
    const job = { jobId: "j2", state: "succeeded", statusUrl: "/tts/jobs/j2", audioUrl: "/tts/jobs/j2/audio", characters: 190000, spoken: 190000, percent: 100, format: "wav", voice: "zeus", model: "m", speed: 1, cost: { characters: 1, nanoUSD: 1 }, createdAt: "2026-11-23T10:00:00Z", updatedAt: "2026-11-23T10:00:00Z", expiresAt: "2026-12-23T10:00:00Z", durationMs: 9_000_000, bytes: 432_000_000, chapters: [], timestamps: [] };
    let asked = 0;
    await t.page.route("**/tts/jobs/j2", (route) => route.fulfill({ json: { ok: true, data: job } }));
    await t.page.route("**/tts/jobs/j2/audio", (route) => {
      asked++;
      return route.fulfill({ status: 404, json: { ok: false, error: { code: "audio_expired", message: "the audio is not kept any more", details: { hint: "ask for the speech again" }, traceId: "0af7" } } });
    });
    await t.signIn("acme", "speech/j2");
    const load = await t.sees(t.page.getByRole("button", { name: "Load the sound, 432 MB" }));
    assert.equal(asked, 0);
    await load.click();
    await t.sees(t.page.getByRole("alert").getByText("the audio is not kept any more"));
    await t.judge("gone");
  },
};
