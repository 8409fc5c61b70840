// How quantities are written.
import { html } from "../ui.js";

const plain = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });
const dollars = new Intl.NumberFormat("en", { style: "currency", currency: "USD", minimumFractionDigits: 2, maximumFractionDigits: 4 });
const little = new Intl.NumberFormat("en", { style: "currency", currency: "USD", maximumSignificantDigits: 3 });

/** number is a number with its thousands apart; what is not known is a dash. */
export const number = (n) => (n === null || n === undefined ? "–" : plain.format(n));

/** bad is a count of what should not be: it stands out where there is any. */
export const bad = (n) => (n > 0 ? html`<span class="state bad">${number(n)}</span>` : "0");

/** percent is a share of one. */
export const percent = (share) => (share === null || share === undefined ? "–" : `${plain.format(100 * share)} %`);

/** duration is so many milliseconds, in the unit in which they are read at a glance. */
export function duration(ms) {
  if (ms === null || ms === undefined) return "–";
  if (ms < 10) return `${plain.format(Math.round(ms * 10) / 10)} ms`;
  if (Math.round(ms) < 1000) return `${Math.round(ms)} ms`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${plain.format(ms / 1000)} s`;
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** money is so many billionths of a US dollar. */
export function money(nanos) {
  if (nanos === null || nanos === undefined) return "–";
  return (nanos > 0 && nanos < 1e7 ? little : dollars).format(nanos / 1e9);
}

/** When is a moment, in the reader's own time. */
export const When = ({ at }) => (at ? html`<time datetime=${at}>${new Date(at).toLocaleString()}</time>` : "–");

/** bytes is a size. */
export function bytes(n) {
  const units = ["B", "kB", "MB", "GB"];
  let at = 0;
  for (; n >= 1000 && at < units.length - 1; at++) n /= 1000;
  return `${at && n < 100 ? n.toFixed(1) : Math.round(n)} ${units[at]}`;
}

/** pretty is JSON in lines; anything else stays as it is. */
export function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** plural is a count with its word. */
export const plural = (n, one, many = `${one}s`) => `${number(n)} ${n === 1 ? one : many}`;
