import { html, useEffect, useLayoutEffect, useRef, useState } from "../ui.js";
import { send } from "../api.js";
import { href } from "../router.js";
import { may } from "../session.js";
import { Dialog } from "./dialog.js";
import { plural } from "./format.js";
import { Problem } from "./problem.js";

const around = 2000, step = 16_000; // bytes

/**
 * Passage is the text of a document with a passage of it marked: `start` and `end` are bytes of the stored text, and `quote` is what is
 * said to stand there. Without a passage it is the beginning. Only what is near is asked for; the rest comes on demand.
 */
export function Passage({ docId, start = 0, end = 0, quote }) {
  const [part, setPart] = useState({ from: Math.max(0, start - around), to: end ? end + around : step });
  const [state, setState] = useState({});
  const mark = useRef(null);
  useEffect(() => {
    const leave = new AbortController();
    read(docId, part, leave.signal).then((text) => setState({ text }), (error) => leave.signal.aborted || setState((before) => ({ ...before, error })));
    return () => leave.abort();
  }, [docId, part]);
  const there = Boolean(state.text);
  useLayoutEffect(() => { mark.current?.scrollIntoView({ block: "center" }); }, [there]);
  if (state.error?.code === "text_not_found") return html`<p class="busy">There is no text yet: it has not been taken out of the document.</p>`;
  if (state.error) return html`<${Problem} error=${state.error} />`;
  if (!there) return html`<p class="busy" role="status">Fetching the text…</p>`;
  const { at, data, total } = state.text;
  const passage = decode(data, at, start, end);
  const changed = quote && end > 0 && passage.trim() !== quote.trim();
  return html`
    ${changed && html`<p class="note warn">The document says something else here now: it was changed after this was found.</p>`}
    ${at > 0 && html`<button type="button" onClick=${() => setPart({ ...part, from: Math.max(0, at - step) })}>What is before it (${plural(at, "byte")})</button>`}
    <div class="text" role="region" aria-label="Text of the document" tabindex="0">${decode(data, at, at, end ? start : at + data.length)}${end > 0 && html`<mark ref=${mark}>${passage}</mark>${decode(data, at, end, at + data.length)}`}</div>
    ${at + data.length < total && html`<button type="button" onClick=${() => setPart({ ...part, to: at + data.length + step })}>What follows (${plural(total - at - data.length, "byte")})</button>`}`;
}

/** read answers the bytes of a part, where they begin, and how many there are in all. */
async function read(docId, { from, to }, signal) {
  let response;
  try {
    response = await send("GET", `/documents/${encodeURIComponent(docId)}/content`, { headers: { range: `bytes=${from}-${to - 1}` }, signal });
  } catch (error) {
    if (error.status === 416 && from > 0) return read(docId, { from: 0, to: to - from }, signal); // it is shorter now
    throw error;
  }
  const data = new Uint8Array(await response.arrayBuffer());
  const [, at = 0, total = data.length] = /^bytes (\d+)-\d+\/(\d+)$/.exec(response.headers.get("content-range") ?? "")?.map(Number) ?? [];
  return { at, data, total };
}

/** decode is the text from one byte of the document to another. What is not whole at its ends is left out. */
function decode(data, at, from, to) {
  let a = Math.max(0, from - at), b = Math.max(a, Math.min(data.length, to - at));
  if (a === 0) while (a < b && (data[a] & 0xc0) === 0x80) a++;
  return new TextDecoder().decode(data.subarray(a, b), { stream: b === data.length });
}

/** PassageDialog shows a passage in front of the page: `passage` is {docId, title, start, end, quote, text}. */
export function PassageDialog({ passage, close, children }) {
  const { docId, title, start, end, quote, text } = passage;
  return html`<${Dialog} title=${title || docId} close=${close}>
    ${children}
    ${may("documents")
      ? html`<${Passage} docId=${docId} start=${start} end=${end} quote=${quote} />
        <p class="buttons"><a href=${href("documents", [docId], { start, end })}>Open the document</a></p>`
      : html`<p class="note">Your key may not read documents: it does not hold the scope <code>documents</code>. This is what was found.</p><div class="text" tabindex="0" role="region" aria-label="What was found">${text ?? quote}</div>`}
  <//>`;
}
