import assert from "node:assert/strict";

export const flows = {
  async "overview"(t) {
    await t.signIn("acme");
    await t.sees(t.page.getByRole("region", { name: "Each was asked just now" }));
    for (const name of ["Status", "Version", "Environment", "Its time"]) await t.sees(t.page.getByRole("term").filter({ hasText: name }));
    await t.announced(/^The platform is ready\.$/);
    await t.judge("overview");
  },

  async "a page that is not there"(t) {
    await t.signIn("acme", "nowhere/at%all");
    await t.sees(t.page.getByRole("heading", { name: "Not found" }));
    await t.judge("not-found");
    await t.page.getByRole("main").getByRole("link", { name: "Overview" }).click();
    await t.sees(t.page.getByRole("heading", { name: "Overview" }));
    await t.focusOn("main");
    await t.page.goBack();
    await t.sees(t.page.getByRole("heading", { name: "Not found" }));
  },

  async "a file that is not there"(t) {
    const response = await t.page.goto(`${t.url}/console/app/pages/nothing`);
    assert.equal(response.status(), 404);
    await t.sees(t.page.getByRole("heading", { name: "Not found" }));
    await t.judge("no-file");
    await t.page.getByRole("link", { name: "Open the console" }).click();
    await t.page.getByLabel("API key").waitFor();
  },

  async "by keyboard alone"(t) {
    await t.open();
    await t.press("Tab");
    assert.equal(await t.focused(), "API key");
    await t.page.keyboard.type(t.keys.acme);
    await t.press("Enter");
    await t.page.getByRole("button", { name: "Sign out" }).waitFor();
    await t.sees("Its time");
    await t.page.evaluate(() => document.activeElement.blur());
    await t.press("Tab");
    assert.equal(await t.focused(), "Skip to the page");
    assert.ok((await t.page.getByRole("link", { name: "Skip to the page" }).boundingBox()).y >= 0, "it shows itself");
    await t.press("Enter");
    assert.equal(await t.focused(), "main");
    await t.press("Tab");
    assert.equal(await t.focused(), "Ask again");
    await t.press("Shift+Tab");
    assert.equal(await t.focused(), "Overview"); // the menu is one stop
    await t.press("ArrowDown", "Home", "End", "ArrowUp");
    assert.equal(await t.page.evaluate(() => document.activeElement.closest("nav")?.id), "nav");
    assert.equal(await t.page.locator("nav a[tabindex='0']").count(), 1);
    await t.press("Shift+Tab");
    assert.equal(await t.focused(), "Sign out");
    await t.press("Enter");
    await t.page.getByLabel("API key").waitFor();
  },

  async "every control of every page by keyboard"(t) {
    await t.api("acme", "POST", "/ingest?wait=30s", { docId: "keyboard.md", text: "What there is to be listed." });
    await t.signIn("acme");
    const pages = await t.page.getByRole("navigation", { name: "Pages" }).getByRole("link").allTextContents();
    assert.ok(pages.length > 9, `${pages}`);
    const faults = [];
    for (const [at, title] of pages.entries()) {
      await t.tabTo("Skip to the page");
      await t.press("Enter");
      if (at > 0) {
        await t.press("Shift+Tab", "ArrowDown", "Enter");
        await t.focusOn("main");
      }
      await t.sees(t.page.getByRole("heading", { name: title, level: 1 }));
      await t.page.getByText(/^(Loading|Asking)…$/).first().waitFor({ state: "detached" });
      await t.page.evaluate(() => {
        globalThis.reached = new Set();
        globalThis.bare = [];
      });
      for (let inside = true, tabs = 0; inside; tabs++) {
        assert.ok(tabs < 400, `${title} has no end`);
        await t.press("Tab");
        inside = await t.page.evaluate(() => {
          const it = document.activeElement;
          if (getComputedStyle(it).outlineStyle === "none") globalThis.bare.push(it.outerHTML.slice(0, 200));
          return Boolean(globalThis.reached.add(it) && it.closest("main"));
        });
      }
      const { passed, bare } = await t.page.evaluate(() => ({
        bare: globalThis.bare.filter((html) => !html.startsWith("<body")),
        passed: [...document.querySelectorAll("main :is(a[href], button, input, select, textarea, summary, audio, [tabindex='0'])")]
          .filter((e) => !e.disabled && e.tabIndex >= 0 && e.checkVisibility() && !globalThis.reached.has(e)).map((e) => e.outerHTML.slice(0, 200)),
      }));
      for (const html of passed) faults.push(`${title}: Tab passes over ${html}`);
      for (const html of bare) faults.push(`${title}: nothing shows that focus is on ${html}`);
    }
    assert.deepEqual(faults, []);
  },

  async "the menu of a phone"(t) {
    await t.page.setViewportSize({ width: 360, height: 740 });
    await t.signIn("acme");
    const menu = t.page.getByRole("button", { name: "Menu" });
    assert.equal(await t.page.getByRole("navigation").count(), 0);
    await menu.click();
    assert.equal(await menu.getAttribute("aria-expanded"), "true");
    await t.page.getByRole("navigation", { name: "Pages" }).getByRole("link").first().focus();
    assert.deepEqual(await t.axe(), []);
    await t.screenshot("open");
    await t.page.keyboard.press("Escape");
    assert.equal(await t.page.getByRole("navigation").count(), 0);
    assert.equal(await t.focused(), "Menu");
  },

  async "the colours somebody chose"(t) {
    await t.page.emulateMedia({ colorScheme: "light" });
    await t.signIn("acme");
    const ground = () => t.page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    const light = await ground();
    await t.page.getByLabel("Colours").selectOption("dark");
    const dark = await ground();
    assert.notEqual(dark, light);
    await t.page.reload();
    await t.page.getByRole("button", { name: "Sign out" }).waitFor();
    assert.equal(await ground(), dark, "also after a reload");
    await t.page.getByLabel("Colours").selectOption("system");
    assert.equal(await ground(), light);
    await t.page.emulateMedia({ colorScheme: "dark" });
    assert.equal(await ground(), dark, "the system's");
  },
};
