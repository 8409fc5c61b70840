// Short notes about what has just been done. They go by themselves: what has to be read stands on the page.
import { html, signal } from "../ui.js";

const toasts = signal([]);
const stays = 6000;
let next = 0;

/** toast shows a note; `kind` is good or bad. */
export function toast(text, kind = "good") {
  const id = next++;
  toasts.value = [...toasts.value, { id, text, kind }];
  setTimeout(() => dismiss(id), stays);
}

/** clear takes all of them away: they were somebody else's. */
export const clear = () => (toasts.value = []);

const dismiss = (id) => (toasts.value = toasts.value.filter((t) => t.id !== id));

/** Toasts is where they are; the console has it once. */
export const Toasts = () => html`<div class="toasts" role="status" aria-live="polite">
  ${toasts.value.map((t) => html`<p key=${t.id} class=${`toast ${t.kind}`}>${t.text} <button type="button" aria-label="Dismiss" onClick=${() => dismiss(t.id)}>✕</button></p>`)}
</div>`;
