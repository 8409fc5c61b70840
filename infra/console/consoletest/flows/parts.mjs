import assert from "node:assert/strict";

/** show puts a part into the page, as a page would; `make` is a function in the page of what modules give. */
async function show(t, make) {
  await t.open();
  await t.page.evaluate(async (source) => {
    const at = (name) => import(`/console/app/${name}.js`);
    const [ui, toast, ...parts] = await Promise.all(["ui", "parts/toast", "parts/dialog", "parts/markdown", "parts/chart", "parts/table", "pages/chat/turn"].map(at));
    const box = document.createElement("main");
    document.body.replaceChildren(box);
    const App = globalThis.made(Object.assign({}, ui, toast, ...parts));
    ui.render(ui.html`<${App} /><${toast.Toasts} />`, box);
  }, await t.page.evaluate(`globalThis.made = ${make}; ""`));
}

export const flows = {
  async "dialog"(t) {
    await show(t, ({ html, useState, Dialog }) => function App() {
      const [open, setOpen] = useState(false);
      return html`<h1>Parts</h1><button onClick=${() => setOpen(true)}>Open</button><button>Behind</button>
        ${open && html`<${Dialog} title="Sure?" close=${() => setOpen(false)}><p><button onClick=${() => setOpen(false)}>Yes</button></p><//>`}`;
    });
    await t.page.getByRole("button", { name: "Open" }).click();
    await t.sees(t.page.getByRole("dialog", { name: "Sure?" }));
    assert.equal(await t.focused(), "Close");
    await t.judge("open");
    for (let i = 0; i < 6; i++) {
      await t.page.keyboard.press("Tab");
      assert.notEqual(await t.focused(), "Behind", "what is behind it is out of reach");
    }
    await t.page.keyboard.press("Escape");
    await t.page.getByRole("dialog").waitFor({ state: "detached" });
    assert.equal(await t.focused(), "Open");
    await t.page.getByRole("button", { name: "Open" }).click();
    await t.page.getByRole("button", { name: "Yes" }).click();
    await t.page.getByRole("dialog").waitFor({ state: "detached" });
  },

  async "toast"(t) {
    await show(t, ({ html, toast }) => () => html`<h1>Parts</h1><button onClick=${() => toast("Saved")}>Save</button>`);
    await t.page.getByRole("button", { name: "Save" }).click();
    await t.sees(t.page.getByRole("status").getByText("Saved"));
    await t.judge("shown");
    await t.page.getByRole("button", { name: "Dismiss" }).click();
    await t.page.getByText("Saved").waitFor({ state: "detached" });
    await t.page.getByRole("button", { name: "Save" }).click();
    await t.sees("Saved");
    await t.page.getByText("Saved").waitFor({ state: "detached" }); // it goes by itself
  },

  async "markdown of strangers"(t) {
    await show(t, ({ html, Markdown }) => () => html`<${Markdown} text=${[
      "# Title\n\nA **word**, [a link](https://example.com/x) and `code`.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n",
      "<img src=https://elsewhere.example/spy.png onerror=alert(1)> ![x](https://elsewhere.example/spy.png)",
      "<script>alert(1)</" + "script><style>body{display:none}</style><iframe src=https://elsewhere.example></iframe>",
      "[bad](javascript:alert(1)) [worse](data:text/html,x) <a href=\"//elsewhere.example\" style=\"position:fixed\" onclick=alert(1)>there</a>",
      "<form action=https://elsewhere.example><input name=key></form><svg><a xlink:href=javascript:alert(1)>s</a></svg>",
    ].join("\n\n")} />`);
    const got = await t.page.locator(".markdown").evaluate((box) => ({
      heading: box.querySelector("h1")?.textContent, shown: box.textContent.includes("<script>alert(1)</script>") && box.textContent.includes("x"), cells: box.querySelectorAll("td").length,
      tags: [...new Set([...box.querySelectorAll("*")].map((e) => e.tagName.toLowerCase()))].sort(),
      attributes: [...new Set([...box.querySelectorAll("*")].flatMap((e) => e.getAttributeNames()))].sort(),
      links: [...box.querySelectorAll("a")].map((a) => [a.textContent, a.getAttribute("href"), a.rel]),
    }));
    assert.deepEqual(got, {
      heading: "Title", shown: true, cells: 2,
      tags: ["a", "code", "h1", "p", "strong", "table", "tbody", "td", "th", "thead", "tr"],
      attributes: ["href", "rel", "target"],
      links: [["a link", "https://example.com/x", "noopener noreferrer nofollow"], ["bad", null, "noopener noreferrer nofollow"], ["worse", null, "noopener noreferrer nofollow"]],
    });
  },

  async "markers of sources"(t) {
    await show(t, ({ html, useState, Markdown }) => function App() {
      const [opened, setOpened] = useState("");
      return html`<h1>Parts</h1><p id="opened">${opened}</p><${Markdown} text=${"First [1], then [2] and [1]. No [3], no `[1]`, no [[1]](https://example.com).\n\n- listed [2]"} sources=${["One", "<b>Two</b>"]} open=${(n, times) => setOpened(`${n}, ${times}`)} />`;
    });
    const markers = t.page.getByRole("button", { name: /^Source/ });
    assert.deepEqual(await markers.evaluateAll((all) => all.map((b) => b.getAttribute("aria-label"))), ["Source 1: One", "Source 2: <b>Two</b>", "Source 1: One", "Source 2: <b>Two</b>"]);
    await markers.nth(2).focus();
    await t.page.keyboard.press("Enter");
    assert.equal(await t.page.locator("#opened").textContent(), "1, 1", "the second one of [1]");
    assert.match(await t.page.locator(".markdown").textContent(), /No \[3\], no \[1\]/);
  },

  async "an answer in two texts, with a tool between them"(t) {
    await show(t, ({ html, Turn }) => {
      const place = { source: "c", docId: "pumps.md", start: 0, end: 9, quote: "…", supported: true };
      const turn = {
        said: "How much oil?", sources: [{ docId: "pumps.md", chunkId: "c", title: "Pumps", text: "…", start: 0, end: 9, score: 1, scores: {} }],
        steps: [{ text: "The valve opens at nine bar [1]. Nobody knows why. " }, { call: { id: "a", name: "calculator" }, result: { ok: true, content: "2" } }, { text: "\n\nThe pump needs\nfour litres [1]." }],
        citations: [{ ...place, marker: 1, sentence: "The valve opens at nine bar." }, { marker: 0, source: "", supported: false, sentence: "Nobody knows why." }, { ...place, marker: 1, sentence: "The pump needs\nfour litres." }],
      };
      return () => html`<h1>Parts</h1><${Turn} turn=${turn} state="idle" />`;
    });
    assert.deepEqual(await t.page.getByText(/not backed by the sources$/).allTextContents(), ["1 sentence is not backed by the sources"], "under its own text alone");
    for (const [at, sentence] of [[0, "The valve opens at nine bar."], [1, "The pump needs four litres."]]) {
      await t.page.getByRole("button", { name: "Source 1: Pumps" }).nth(at).click();
      await t.sees(t.page.getByRole("dialog").getByText(`It says what the answer says: “${sentence}”`));
      await t.page.keyboard.press("Escape");
    }
  },

  async "quantities"(t) {
    await t.open();
    const written = await t.page.evaluate(async () => {
      const [{ duration, money }, { measure }, { counted }] = await Promise.all(["format", "alerts", "job"].map((name) => import(`/console/app/parts/${name}.js`)));
      const job = (state, counts) => counted({ kind: "import", state, counts });
      return {
        durations: [null, 0.26, 9.96, 999.6, 1234.5, 59_499, 59_600, 60_000, 119_600, 3_599_600].map(duration),
        money: [null, 0, 1_500_000, 9_990_000, 12_340_000].map(money),
        costs: [null, 0, 0.0042, 12.5].map(measure("cost_usd").format),
        jobs: [job("running", { total: 0 }), job("succeeded", { total: 0 }), job("failed", { total: 0 }), job("succeeded", { total: 2, done: 1, failed: 1 })],
      };
    });
    assert.deepEqual(written, {
      durations: ["–", "0.3 ms", "10 ms", "1 s", "1.23 s", "59.5 s", "1 min 0 s", "1 min 0 s", "2 min 0 s", "60 min 0 s"],
      money: ["–", "$0.00", "$0.0015", "$0.00999", "$0.0123"],
      costs: ["–", "$0.00", "$0.0042", "$12.50"],
      jobs: ["how much it is, is not known yet", "nothing was done", "nothing was done", "1 of 2 documents done, 1 failed"],
    });
  },

  async "chart"(t) {
    await show(t, ({ html, Chart }) => () => html`<h1>Parts</h1><${Chart} title="Requests" times=${[1764000000, 1764003600, 1764007200]} series=${[{ title: "ok", values: [1, 5, null] }, { title: "failed", values: [0, 2, 1] }]} />`);
    await t.sees(t.page.locator("canvas"));
    for (const [colorScheme, line] of [["light", [10, 98, 104]], ["dark", [111, 208, 214]]]) {
      await t.page.emulateMedia({ colorScheme });
      await t.eventually(() => t.page.locator("canvas").evaluate((canvas, [r, g, b]) => {
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        for (let i = 0; i < data.length; i += 4) if (data[i] === r && data[i + 1] === g && data[i + 2] === b && data[i + 3] === 255) return true;
        return false;
      }, line), `the line has the colour of ${colorScheme}`);
    }
    await t.page.getByText("As a table").click();
    await t.sees(t.page.getByRole("row", { name: /– 1$/ }));
    await t.judge("open");
  },

  async "a stream in pieces"(t) {
    await t.open();
    const events = await t.page.evaluate(async () => {
      const { readEvents } = await import("/console/app/sse.js");
      const bytes = new TextEncoder().encode("﻿: hello\r\nid: 1\r\ndata: grün\r\ndata:  two\r\n\r\nevent: token\ndata\n\nretry: 5\rid: 2\rdata: x\r\revent: lost\ndata: cut");
      const all = [];
      for (const size of [1, 2, 3, 7, bytes.length]) {
        const pieces = new ReadableStream({ start(c) {
          for (let i = 0; i < bytes.length; i += size) c.enqueue(bytes.slice(i, i + size));
          c.close();
        } });
        const got = [];
        for await (const event of readEvents(new Response(pieces))) got.push(event);
        all.push(got);
      }
      return all;
    });
    for (const got of events) {
      assert.deepEqual(got, [
        { event: "message", data: "grün\n two", id: "1" },
        { event: "token", data: "", id: "1" },
        { event: "message", data: "x", id: "2" },
      ]);
    }
  },

  async "addresses"(t) {
    await t.open();
    assert.deepEqual(await t.page.evaluate(async () => {
      const { href, parse } = await import("/console/app/router.js");
      const to = href("documents", ["a/b", "ü?#"], { state: "failed", cursor: "", limit: 0 });
      return [to, parse(to), parse(""), parse("#/%zz")];
    }), [
      "#/documents/a%2Fb/%C3%BC%3F%23?state=failed&limit=0",
      { page: "documents", rest: ["a/b", "ü?#"], query: { state: "failed", limit: "0" } },
      { page: "overview", rest: [], query: {} },
      { page: "%zz", rest: [], query: {} },
    ]);
  },
};
