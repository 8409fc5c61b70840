import { html } from "../ui.js";
import { percent } from "./format.js";

/** Gauge is how much of something is used up, with what will be at the pace of late. */
export function Gauge({ title, of, most, ahead, format }) {
  const used = most > 0 ? of / most : 1;
  const told = `${format(of)} of ${format(most)}, ${percent(used)}`;
  const state = used >= 1 ? "bad" : used >= 0.8 || ahead > most ? "warn" : "good";
  return html`<div class="gauge">
    <p><strong>${title}</strong> <span class=${`state ${state}`}>${{ bad: "used up", warn: "running short", good: "enough" }[state]}</span></p>
    <div role="meter" aria-label=${title} aria-valuemin="0" aria-valuemax="100" aria-valuenow=${Math.min(100, Math.round(used * 100))} aria-valuetext=${told}>
      ${ahead > of && html`<span class="ahead" style=${{ width: wide(ahead / most) }}></span>`}
      <span class=${state} style=${{ width: wide(used) }}></span>
    </div>
    <p class="small">${told}</p>
  </div>`;
}

const wide = (part) => `${Math.min(100, Math.max(0, part * 100))}%`;
