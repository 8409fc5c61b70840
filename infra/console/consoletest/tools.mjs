// What a flow has in its hands.
import assert from "node:assert/strict";
import { readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** The looks in which every page is judged. The last one has the colours of the second and the width of the third, of which axe is asked already. */
const looks = [
  { name: "light", colors: "light", size: { width: 1280, height: 800 } },
  { name: "dark", colors: "dark", size: { width: 1280, height: 800 } },
  { name: "phone", colors: "light", size: { width: 360, height: 740 } },
  { name: "phone-dark", colors: "dark", size: { width: 360, height: 740 }, asked: true },
];

/** plain is a name as a file may have it. */
const plain = (name) => name.replaceAll(/[^a-zA-Z0-9.-]+/g, "-");

export class Tools {
  complaints = [];
  judged = {}; // the pictures of each page, by look

  constructor(settings, context, page, name) {
    const folder = join(settings.shots, ...name.split("/").map(plain));
    Object.assign(this, { folder, context, page, url: settings.url, keys: settings.keys });
    rmSync(folder, { recursive: true, force: true }); // what the flow did before is not what it does
    this.#listen(page);
  }

  /** open shows a page of the console, such as "overview", and waits until it is there. */
  async open(hash = "") {
    await this.page.goto(`${this.url}/console/${hash && `#/${hash}`}`);
    await this.page.waitForSelector("html[data-ready]");
  }

  /** signIn does what somebody does who has a key; then it opens a page. */
  async signIn(tenant, hash = "") {
    await this.open(hash);
    await this.#enter(tenant);
  }

  /** signInAs signs out, and in as somebody else, who gets the page that is open. */
  async signInAs(tenant) {
    await this.page.getByRole("button", { name: "Sign out" }).click();
    await this.#enter(tenant);
  }

  async #enter(tenant) {
    await this.page.getByLabel("API key").fill(this.keys[tenant]);
    await this.page.getByRole("button", { name: "Sign in" }).click();
    await this.page.getByRole("button", { name: "Sign out" }).waitFor();
  }

  /** sees waits for a text, or a locator, and answers it. */
  async sees(what) {
    const locator = typeof what === "string" ? this.page.getByText(what) : what;
    await locator.first().waitFor();
    return locator;
  }

  /** row is the row of a table that is named so. */
  row(name) {
    return this.page.getByRole("row").filter({ has: this.page.getByRole("rowheader", { name }) });
  }

  /** announced waits until a screen reader was told something that matches; only the last thing said is known. */
  announced(pattern) {
    return this.eventually(async () => (await this.page.getByRole("status").allTextContents()).some((said) => pattern.test(said)), `${pattern} is announced`);
  }

  /** press presses keys, one after the other. */
  async press(...keys) {
    for (const key of keys) await this.page.keyboard.press(key);
  }

  /** tabTo goes on by Tab until focus is on what is named so, as far as somebody might who has no mouse. `by` can be Shift+Tab. */
  async tabTo(name, by = "Tab") {
    for (const passed = []; passed.at(-1) !== name; passed.push(await this.focused())) {
      assert.ok(passed.length < 80, `${by} does not lead to ${name}, but to ${passed.join(", ")}`);
      await this.press(by);
    }
  }

  /** focusOn waits until focus is on what is named so. */
  focusOn(name) {
    return this.eventually(async () => (await this.focused()) === name, `focus is on ${name}`);
  }

  /** api asks the platform past the console: what a flow needs to be there, or looks up afterwards. */
  async api(tenant, method, path, body) {
    const response = await fetch(this.url + path, {
      method, headers: { authorization: `Bearer ${this.keys[tenant]}`, ...(body && { "content-type": "application/json" }) }, body: body && JSON.stringify(body),
    });
    const answer = await response.json();
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${JSON.stringify(answer)}`);
    return answer.data;
  }

  /** eventually tries until it holds; what is done by queues takes its time. */
  async eventually(holds, what = "it holds") {
    for (const end = Date.now() + 30_000; ; await this.page.waitForTimeout(100)) {
      if (await holds()) return;
      assert.ok(Date.now() < end, `not within 30 s: ${what}`);
    }
  }

  /** judge looks at the page as it is, in all looks: it takes a screenshot, asks axe, and holds the page to the width there is. */
  async judge(shot) {
    const faults = [], pictures = (this.judged[shot] = {});
    for (const look of looks) {
      await this.page.setViewportSize(look.size);
      await this.page.emulateMedia({ colorScheme: look.colors });
      pictures[look.name] = await this.screenshot(`${shot}-${look.name}`, { fullPage: true });
      const { wide, room } = await this.width();
      if (wide > room) faults.push(`${look.name}: the page is ${wide} px wide, and there are ${room}`);
      if (!look.asked) for (const fault of await this.axe()) faults.push(`${look.name}: ${fault}`);
    }
    await this.page.setViewportSize(looks[0].size);
    await this.page.emulateMedia({ colorScheme: null });
    assert.deepEqual(faults, [], shot);
  }

  /** width is how wide the page is, and the room there is for it; charts take a moment to follow the screen. */
  async width() {
    for (const end = Date.now() + 3_000; ; await this.page.waitForTimeout(50)) {
      const { wide, room } = await this.page.evaluate(() => ({ wide: document.documentElement.scrollWidth, room: document.documentElement.clientWidth }));
      if (wide <= room || Date.now() > end) return { wide, room };
    }
  }

  /** axe answers what is a serious or a critical fault to people who cannot see, hear or point as others do. */
  async axe() {
    const before = [...this.complaints];
    if (await this.page.evaluate(() => !globalThis.axe)) await this.page.evaluate(axe);
    const { violations } = await this.page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
    this.complaints = before.concat(this.complaints.slice(before.length).filter((complaint) => !complaint.includes("inline style"))); // axe tries its own
    return violations.filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => `${node.target.join(" ")} (${node.any[0]?.message ?? node.failureSummary})`).join("; ")}`);
  }

  /** focused is the name of what has focus, as a screen reader says it, or its tag; what is in a list is not part of its name. */
  focused() {
    return this.page.evaluate(() => {
      const e = document.activeElement;
      const label = e.labels?.[0]?.textContent.replace(e.textContent, "") ?? e.getAttribute("aria-label") ?? (e.matches("a, button, h1, h2, p, summary") ? e.textContent : "");
      return label.trim() || e.id || e.tagName.toLowerCase();
    });
  }

  /** screenshot keeps how the page looks, and answers in which file. */
  async screenshot(shot, options) {
    const path = join(this.folder, `${plain(shot)}.png`);
    await this.page.screenshot({ path, caret: "initial", ...options }); // to hide the caret takes a style that the policy refuses
    return path;
  }

  /** allow drops the complaints that a flow caused on purpose. */
  allow(pattern) {
    this.complaints = this.complaints.filter((complaint) => !pattern.test(complaint));
  }

  /** settle fails for what nobody has asked for. */
  settle() {
    const complaints = [...new Set(this.complaints)];
    assert.ok(complaints.length === 0, `the browser complained:\n${complaints.join("\n")}`);
  }

  #listen(page) {
    page.on("pageerror", (error) => this.complaints.push(`an error in the page: ${error.stack}`));
    page.on("console", (message) => {
      // A refusal of the API is logged by the browser, too; whether it was in order is for the flow to say.
      if (message.type() === "error" && !/^Failed to load resource: the server responded with a status of 4\d\d/.test(message.text())) this.complaints.push(`logged: ${message.text()}`);
    });
    page.on("request", (request) => {
      const { protocol, origin } = new URL(request.url());
      if (!["data:", "blob:"].includes(protocol) && origin !== this.url) this.complaints.push(`asked somebody else: ${request.url()}`);
    });
  }
}
