// What a screen reader is told that nobody had to look for: results, not progress.
import { html, signal } from "../ui.js";

const said = signal("");

/** announce says a sentence. The same one twice in a row is said twice. */
export function announce(text) {
  said.value = "";
  setTimeout(() => (said.value = text), 50); // a region that did not change is not read
}

/** Announcer is the region; the shell has it once. */
export const Announcer = () => html`<p class="hidden" role="status" aria-live="polite">${said.value}</p>`;
