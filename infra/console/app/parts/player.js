import { html, useEffect, useRef, useState } from "../ui.js";
import { bytes, duration } from "./format.js";
import { Problem } from "./problem.js";

const unasked = 20_000_000; // bytes that are loaded without somebody's asking for them

/** Player plays a sound, which is loaded with the session's key: a player's own request would have none. Chapters are places to go to. */
export function Player({ load, size, durationMs, name, chapters }) {
  const [wanted, setWanted] = useState(size <= unasked);
  const [url, setUrl] = useState("");
  const [error, setError] = useState(null);
  const audio = useRef(null);
  useEffect(() => {
    if (!wanted) return;
    const left = new AbortController();
    let made = "";
    setError(null);
    load(left.signal).then(
      (sound) => left.signal.aborted || setUrl((made = URL.createObjectURL(sound))),
      (failure) => {
        if (left.signal.aborted) return;
        setError(failure);
        setWanted(false);
      },
    );
    return () => {
      left.abort();
      if (made) URL.revokeObjectURL(made);
    };
  }, [wanted]);
  useEffect(() => () => url && URL.revokeObjectURL(url), [url]);
  const from = (chapter) => {
    audio.current.currentTime = chapter.startMs / 1000;
    audio.current.play().catch(() => {}); // a browser may refuse to play by itself; the place is right
  };
  return html`
    ${error && html`<${Problem} error=${error} />`}
    ${!url && (wanted ? html`<p class="busy" role="status">Loading the sound, ${bytes(size)}…</p>` : html`<p><button type="button" onClick=${() => setWanted(true)}>Load the sound, ${bytes(size)}</button></p>`)}
    ${url && html`<audio ref=${audio} controls preload="metadata" src=${url} aria-label="The spoken text"></audio>
      <p><a href=${url} download=${name}>Download</a> <span class="small">${duration(durationMs)}, ${bytes(size)}</span></p>
      ${chapters.length > 0 && html`<h3 id="chapters">Chapters</h3><ol class="chapters" aria-labelledby="chapters">${chapters.map((chapter, i) => html`<li key=${i}>
        <button type="button" onClick=${() => from(chapter)}>${chapter.title}</button> <span class="small">${duration(chapter.startMs)}</span></li>`)}</ol>`}`}`;
}
