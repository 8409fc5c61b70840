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
    const press = async (...keys) => {
      for (const key of keys) await t.page.keyboard.press(key);
    };
    await t.open();
    await press("Tab");
    assert.equal(await t.focused(), "API key");
    await t.page.keyboard.type(t.keys.acme);
    await press("Enter");
    await t.page.getByRole("button", { name: "Sign out" }).waitFor();
    await t.sees("Its time");
    await t.page.evaluate(() => document.activeElement.blur());
    await press("Tab");
    assert.equal(await t.focused(), "Skip to the page");
    assert.ok((await t.page.getByRole("link", { name: "Skip to the page" }).boundingBox()).y >= 0, "it shows itself");
    await press("Enter");
    assert.equal(await t.focused(), "main");
    await press("Tab");
    assert.equal(await t.focused(), "Ask again");
    await press("Shift+Tab");
    assert.equal(await t.focused(), "Overview"); // the menu is one stop
    await press("ArrowDown", "Home", "End", "ArrowUp");
    assert.equal(await t.page.evaluate(() => document.activeElement.closest("nav")?.id), "nav");
    assert.equal(await t.page.locator("nav a[tabindex='0']").count(), 1);
    await press("Shift+Tab");
    assert.equal(await t.focused(), "Sign out");
    await press("Enter");
    await t.page.getByLabel("API key").waitFor();
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
