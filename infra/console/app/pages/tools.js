import { html, useEffect, useRef, useState } from "../ui.js";
import { get, post } from "../api.js";
import { href } from "../router.js";
import { announce } from "../parts/announce.js";
import { useAsk } from "../parts/ask.js";
import { Dialog } from "../parts/dialog.js";
import { Empty } from "../parts/empty.js";
import { Facts } from "../parts/facts.js";
import { duration, money, number } from "../parts/format.js";
import { Problem } from "../parts/problem.js";
import { draftOf, read, SchemaForm } from "../parts/schema-form.js";
import { Stop } from "../parts/stop.js";
import { Table } from "../parts/table.js";
import { Title } from "../parts/title.js";

/** Tools lists what models and programs may call, and calls one of them. */
export default function Tools({ rest }) {
  const { data, error, busy } = useAsk(async (signal) => (await get("/schema/tools", { signal })).tools);
  if (error) return html`<h1>Tools</h1><${Problem} error=${error} />`;
  if (!data) return html`<h1>Tools</h1>${busy && html`<p class="busy" role="status">Loading…</p>`}`;
  if (!rest[0]) return html`<${List} tools=${data} />`;
  const tool = data.find(({ name }) => name === rest[0]);
  if (tool) return html`<${Tool} key=${tool.name} tool=${tool} />`;
  return html`<p><a href=${href("tools")}>All tools</a></p><${Title}>${rest[0]}<//><${Empty} title="There is no such tool here, or your key does not hold a scope that it needs." />`;
}

const effects = { none: ["good", "changes nothing"], reads: ["good", "reads what is stored"], writes: ["warn", "changes what is stored"] };
const costs = { free: "nothing", compute: "time", model: "calls of models" };

const Effects = ({ of }) => html`<span class=${`state ${effects[of]?.[0] ?? ""}`}>${effects[of]?.[1] ?? of}</span>`;

const List = ({ tools }) => html`<${Title}>Tools<//>
  <p>What models may call in a chat, and programs by <code>POST /tools/execute</code> or MCP.</p>
  <section aria-label="Tools"><${Table} caption="That your key is good for" rows=${tools} rowKey=${(t) => t.name} empty="The tenant has no tools that your key is good for." columns=${[
    { title: "Tool", value: (t) => html`<a href=${href("tools", [t.name])}>${t.name}</a>` },
    { title: "What it does", value: (t) => t.description },
    { title: "Effects", value: (t) => html`<${Effects} of=${t.effects} />` },
    { title: "Costs", value: (t) => costs[t.cost] ?? t.cost },
  ]} /></section>`;

function Tool({ tool }) {
  const [draft, setDraft] = useState(() => draftOf(tool.inputSchema));
  const [faults, setFaults] = useState({});
  const [answer, setAnswer] = useState({}); // {result} or {error}
  const [running, setRunning] = useState(null);
  const [sure, setSure] = useState(null); // what runs once somebody has agreed
  const form = useRef(null), first = useRef(null), outcome = useRef(null);
  useEffect(() => () => running?.abort(), [running]);
  const toFault = () => requestAnimationFrame(() => (form.current?.querySelector("[aria-invalid], [data-wrong]") ?? outcome.current)?.focus());
  const run = async (params, dryRun) => {
    const leave = new AbortController();
    setSure(null);
    setRunning(leave);
    setAnswer({});
    try {
      const result = await post("/tools/execute", { tool_name: tool.name, params, dry_run: dryRun }, { signal: leave.signal });
      setAnswer({ result });
      announce(`${tool.name} answered after ${duration(result.metadata.durationMs)}.`);
      requestAnimationFrame(() => outcome.current?.focus());
    } catch (error) {
      if (leave.signal.aborted) announce("Stopped.");
      else {
        setAnswer({ error });
        if (error.field) setFaults({ [error.field]: error.message.replace(`${error.field}: `, "") });
        toFault();
      }
    }
    setRunning(null);
  };
  const begin = (dryRun) => {
    const { value, faults: wrong } = read(tool.inputSchema, draft, "params", true);
    setFaults(wrong);
    setAnswer({});
    if (Object.keys(wrong).length) toFault();
    else if (tool.effects === "writes" && !dryRun) setSure(value);
    else run(value, dryRun);
  };
  const submit = (event) => {
    event.preventDefault();
    begin(false);
  };
  return html`
    <p><a href=${href("tools")}>All tools</a></p>
    <${Title}>${tool.name}<//>
    <p>${tool.description}</p>
    <${Facts} of=${[
      ["Effects", html`<${Effects} of=${tool.effects} />`], ["Costs", costs[tool.cost] ?? tool.cost], ["Ends after", `${duration(tool.timeoutMs)} at most`],
      ["Needs", tool.needs.map((scope) => html`<span key=${scope} class="tag">${scope}</span> `)],
    ]} />
    <div class="halves">
      <section aria-labelledby="input"><h2 id="input">Input</h2>
        <form ref=${form} onSubmit=${submit} aria-busy=${running !== null} novalidate>
          <${SchemaForm} schema=${tool.inputSchema} draft=${draft} change=${setDraft} path="params" faults=${faults} />
          <p class="buttons">
            <button class="primary" ref=${first} disabled=${running !== null}>${running ? "Running…" : "Run"}</button>
            <button type="button" onClick=${() => begin(true)} disabled=${running !== null}>Dry run</button>
            ${running && html`<${Stop} stop=${() => running.abort()} back=${first} />`}
          </p>
          <p class="small">A dry run looks at the input and at what is allowed, and does nothing.</p>
        </form>
      </section>
      <section aria-labelledby="result"><h2 id="result" ref=${answer.error ? undefined : outcome} tabindex="-1">Result</h2>
        ${answer.error && html`<${Problem} error=${answer.error} focus=${outcome} />`}
        ${answer.error?.details.toolCode && html`<p>The tool calls it <code>${answer.error.details.toolCode}</code>.</p>`}
        ${answer.result && html`<${Result} of=${answer.result} />`}
        ${!answer.error && !answer.result && html`<p class="busy">${running ? "Running…" : "Nothing has run yet."}</p>`}
      </section>
    </div>
    <details><summary>What the result looks like</summary><pre tabindex="0" aria-label="The schema of results">${JSON.stringify(tool.outputSchema, null, 2)}</pre></details>
    ${sure && html`<${Dialog} title=${`Run ${tool.name}?`} close=${() => setSure(null)}>
      <p>It changes what is stored of the tenant. What it will be given:</p>
      <pre tabindex="0" aria-label="Input">${JSON.stringify(sure, null, 2)}</pre>
      <p class="buttons"><button type="button" class="primary" onClick=${() => run(sure, false)}>Run</button> <button type="button" onClick=${() => setSure(null)}>Cancel</button></p>
    <//>`}`;
}

function Result({ of }) {
  const { metadata } = of;
  return html`
    <p>${metadata.dryRun ? html`<span class="state good">Would run.</span> Nothing was done.` : html`<span class="state good">Done.</span>`}</p>
    ${of.data !== null && of.data !== undefined && html`<pre tabindex="0" aria-label="What the tool answered">${JSON.stringify(of.data, null, 2)}</pre>`}
    <${Facts} of=${[
      ["Took", duration(metadata.durationMs)], ["Cost", money(metadata.costNanos)], ["Tokens", number(metadata.tokens)],
      ["On record as", metadata.auditId && html`<code>${metadata.auditId}</code>`], ["Safety", of.safety && html`<code>${JSON.stringify(of.safety)}</code>`],
    ]} />`;
}
