import assert from "node:assert/strict";
import { wire } from "../wire.mjs";

const say = async (t, text) => {
  await t.page.getByLabel("Message", { exact: true }).fill(text);
  await t.page.keyboard.press("Enter");
};
const settled = (t) => t.page.locator(".answer").last().and(t.page.locator("[aria-busy=false] .answer")).waitFor();
const answers = (t) => t.page.locator(".answer");

/** scripted says something to a model that answers as it is told to. */
async function scripted(t, text, script) {
  const settings = t.page.getByRole("button", { name: "Settings" });
  if ((await settings.getAttribute("aria-expanded")) === "false") {
    await settings.click();
    await t.page.getByLabel("Model", { exact: true }).selectOption("@local/script");
    await settings.click();
    await t.page.getByRole("checkbox", { name: "Documents" }).uncheck();
  }
  await say(t, `${text} {"script": ${JSON.stringify(script)}}`);
}

const words = Array.from({ length: 12 }, (_, i) => `word${i} `);

async function oil(t, tenant) {
  await t.api(tenant, "POST", "/ingest?wait=30s", {
    docId: "handbook/pumps.md", title: "Pumps", contentType: "text/markdown",
    text: `# Maschinen\n\nGrüße aus Halle sieben.\n\nThe pump in hall seven needs exactly four litres of oil. It is changed in spring.\n\n## Überdruck\n\nThe valve opens at nine bar.\n`,
  });
}

export const flows = {
  async "an answer from documents"(t) {
    await oil(t, "acme");
    await t.signIn("acme", "chat");
    await t.sees("Ask something.");
    await t.judge("empty");
    await say(t, "How much oil does the pump in hall seven need?");
    await settled(t);
    await t.sees(answers(t).getByText("four litres"));
    await t.sees(t.page.getByText(/\d+ tokens read, \d+ written/));
    await t.announced(/^Answer: .*four litres/s);
    await t.sees(t.page.getByRole("navigation", { name: "Conversations" }).getByRole("link", { name: /How much oil/ }));
    await t.page.getByText(/^Sources \(\d+\)$/).click();
    await t.judge("answered");

    await t.page.getByRole("button", { name: /^Source 1: / }).last().click();
    const dialog = await t.sees(t.page.getByRole("dialog"));
    assert.equal(await dialog.locator("mark").textContent(), "The pump in hall seven needs exactly four litres of oil.");
    await t.sees(dialog.getByText("The valve opens at nine bar."));
    await t.page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });

    await t.page.reload();
    await t.sees(answers(t).getByText("four litres")); // it is kept, and so is what it rests on
    await t.page.getByRole("button", { name: /^Source 1: / }).last().click();
    assert.equal(await t.page.getByRole("dialog").locator("mark").textContent(), "The pump in hall seven needs exactly four litres of oil.");
    await t.page.keyboard.press("Escape");
  },

  async "stop, and go on"(t) {
    await t.signIn("demo", "chat");
    await scripted(t, "Count.", { tokens: words, delayMs: 250 });
    await t.sees(answers(t).getByText(/word1/));
    await t.page.getByRole("button", { name: "Stop" }).click();
    await t.sees("You stopped here.");
    const stopped = await answers(t).locator(".markdown").textContent();
    assert.doesNotMatch(stopped, /word11/);
    await t.judge("stopped");
    await t.page.getByRole("button", { name: "Show the rest" }).click();
    await t.sees(answers(t).getByText(/word11/));
    await settled(t);
    assert.equal((await answers(t).locator(".markdown").textContent()).trim(), words.join("").trim(), "each word once");
    assert.equal(await t.page.getByText("You stopped here.").count(), 0);
  },

  async "two messages at once"(t) {
    await t.signIn("demo", "chat");
    await scripted(t, "Count.", { tokens: words, delayMs: 400 });
    await t.sees(answers(t).getByText(/word1/));
    await t.page.getByRole("button", { name: "Stop" }).click();
    await say(t, "And now?");
    await t.sees(t.page.getByRole("alert").getByText("turn_in_progress"));
    assert.equal(await t.page.getByRole("textbox", { name: "Message" }).inputValue(), "And now?");
    await t.page.getByRole("button", { name: "Show the answer that is under way" }).click();
    await t.sees(answers(t).getByText(/word11/));
    await settled(t);
    assert.equal(await answers(t).count(), 1);
    await t.sees(t.page.locator(".said").getByText("Count."));
  },

  async "a connection that is cut"(t) {
    const line = await wire(t.url), asked = [];
    t.url = line.url;
    t.page.on("request", (request) => request.url().includes("/chat/streams/") && asked.push(request.headers()["last-event-id"]));
    try {
      await t.signIn("demo", "chat");
      await scripted(t, "Count.", { tokens: words, delayMs: 250 });
      await t.sees(answers(t).getByText(/word2/));
      line.cut();
      await t.sees("The connection was cut. Going on where it was…");
      await t.judge("cut");
      line.mend();
      await t.sees(answers(t).getByText(/word11/));
      await settled(t);
    } finally {
      line.close();
    }
    assert.equal((await answers(t).locator(".markdown").textContent()).trim(), words.join("").trim(), "each word once");
    assert.ok(asked.length > 0 && asked.every((id) => Number(id) > 2), `it asked for what it had not seen: ${asked}`);
    t.allow(/net::ERR_/);
  },

  async "a reload in the middle of a turn"(t) {
    await t.signIn("demo", "chat");
    await scripted(t, "Count slowly.", { tokens: words, delayMs: 300 });
    await t.sees(answers(t).getByText(/word1/));
    assert.match(t.page.url(), /#\/chat\/.+\?stream=/);
    await t.page.reload();
    await t.sees(answers(t).getByText(/word11/));
    await t.sees(t.page.locator(".said").getByText("Count slowly."));
    assert.equal(await answers(t).count(), 1);
    assert.doesNotMatch(t.page.url(), /stream=/);
  },

  async "tools"(t) {
    await t.signIn("demo", "chat");
    const calls = [{ id: "a", name: "calculator", arguments: { operation: "multiply", a: 6, b: 7 } }, { id: "b", name: "calculator", arguments: { operation: "divide", a: 6, b: 0 } }];
    await scripted(t, "Calculate.", [{ tokens: ["Let me see. "], toolCalls: calls }, { tokens: ["It is **42**."] }]);
    await t.sees(answers(t).locator("strong").getByText("42"));
    const [good, bad] = await t.page.locator("details.call").all();
    assert.match(await good.locator("summary").textContent(), /calculator done \d+ ms/);
    await good.locator("summary").click();
    await t.sees(good.getByText('"result": 42'));
    await t.sees(good.getByText('"operation": "multiply"'));
    assert.match(await bad.locator("summary").textContent(), /failed/);
    await t.sees(bad.getByText('"code"')); // what has failed is open
    await t.judge("called");
    await t.page.reload();
    await t.sees(t.page.locator("details.call").first());
    assert.equal(await t.page.locator("details.call").count(), 2);
  },

  async "what is refused stands at its field, and nothing is lost"(t) {
    await t.signIn("acme", "chat");
    await t.page.getByRole("button", { name: "Settings" }).click();
    const filter = t.page.getByLabel("Filter of the documents");
    await filter.fill("{no");
    await say(t, "What is there?");
    await t.sees(t.page.getByText(/This is no JSON/));
    assert.equal(await filter.getAttribute("aria-invalid"), "true");
    await filter.fill('{"nothing": 1}');
    await t.page.getByRole("button", { name: "Send" }).click();
    await t.eventually(async () => /rag\.filter\.nothing/.test(await t.page.locator(".composer .wrong").allTextContents()), "the API's refusal is at the field");
    assert.equal(await t.page.getByLabel("Message", { exact: true }).inputValue(), "What is there?");
    await t.focusOn("Filter of the documents"); // what is wrong
    await t.judge("refused");
  },

  async "a model that fails"(t) {
    await t.signIn("demo", "chat");
    await scripted(t, "Fail.", { tokens: words, delayMs: 50, cutAfter: 3 });
    const alert = await t.sees(answers(t).getByRole("alert"));
    assert.match(await alert.textContent(), /Trace/);
    await t.sees(answers(t).getByText("word0")); // what came stays
    await settled(t);
    await t.judge("failed");
  },

  async "delete"(t) {
    await t.signIn("acme", "chat");
    await say(t, "Forget this soon.");
    await settled(t);
    const id = new URL(t.page.url()).hash.split("/")[2];
    await t.page.getByRole("button", { name: "Delete" }).click();
    await t.judge("asked");
    await t.page.getByRole("button", { name: "Keep it" }).click();
    await t.api("acme", "GET", `/sessions/${id}`);
    await t.page.getByRole("button", { name: "Delete" }).click();
    await t.page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await t.sees("The conversation was deleted.");
    await t.eventually(async () => !(await t.page.getByRole("navigation", { name: "Conversations" }).textContent()).includes("Forget this soon"), "it has left the list");
    await t.sees("Ask something.");
    await assert.rejects(t.api("acme", "GET", `/sessions/${id}`), /session_not_found/);
  },

  async "another tenant's conversation"(t) {
    await t.signIn("acme", "chat");
    await say(t, "What only Acme says.");
    await settled(t);
    const id = new URL(t.page.url()).hash.split("/")[2];
    await t.signInAs("globex");
    await t.sees(t.page.getByRole("alert").getByText("session_not_found"));
    assert.doesNotMatch(await t.page.locator("body").innerText(), /only Acme/);
    await t.open(`chat/${id}`);
    await t.sees(t.page.getByRole("alert").getByText("session_not_found"));
    await t.judge("not-found");
  },

  async "on a phone"(t) {
    await t.page.setViewportSize({ width: 360, height: 740 });
    await t.signIn("acme", "chat");
    assert.equal(await t.page.getByLabel("Message", { exact: true }).isVisible(), false, "the list comes first");
    await t.page.getByRole("link", { name: "New conversation" }).click();
    await t.focusOn("Message"); // where one writes
    await say(t, "Hello from a phone.");
    await settled(t);
    await t.page.getByRole("link", { name: "All conversations" }).click();
    await t.page.getByRole("link", { name: /Hello from a phone/ }).first().click();
    await t.sees(t.page.locator(".said").getByText("Hello from a phone."));
    await t.focusOn("Conversation");
  },
};
