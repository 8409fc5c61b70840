// Holds the browser. Its parent, package consoletest, says in one line what there is, then the name of a flow a line, and gets a line
// of JSON for each. It ends when its input does.
import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import { Tools } from "./tools.mjs";

const limit = 60_000; // of a flow
const say = (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`);

let settings, browser;
const flows = new Map();

async function start(line) {
  settings = JSON.parse(line);
  for (const name of readdirSync(settings.flows).filter((file) => file.endsWith(".mjs")).sort()) {
    const module = await import(pathToFileURL(join(settings.flows, name)));
    for (const [what, run] of Object.entries(module.flows)) flows.set(`${basename(name, ".mjs")}/${what}`, run);
  }
  // The sandbox needs a user of its own: root, as in most containers, has to do without.
  browser = await chromium.launch({ executablePath: settings.chromium, chromiumSandbox: process.getuid() !== 0 });
  return { flows: [...flows.keys()] };
}

async function run(name) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: "en-GB", timezoneId: "UTC", reducedMotion: "reduce" });
  context.setDefaultTimeout(15_000);
  const tools = new Tools(settings, context, await context.newPage(), name);
  let late;
  try {
    await Promise.race([
      flows.get(name)(tools),
      new Promise((_, fail) => (late = setTimeout(() => fail(new Error(`took more than ${limit / 1000} s`)), limit))),
    ]);
    tools.settle();
    return { judged: tools.judged };
  } catch (error) {
    const picture = await tools.screenshot("failed").then((path) => `the page as it was: ${path}`, (why) => `there is no picture of the page: ${why}`);
    return { error: `${error.stack ?? error}\n${picture}` };
  } finally {
    clearTimeout(late);
    await context.close();
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  say(await (browser ? run(line) : start(line)).catch((error) => ({ error: String(error?.stack ?? error) })));
}
await browser?.close();
