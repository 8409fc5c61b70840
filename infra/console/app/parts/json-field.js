import { html } from "../ui.js";
import { Field } from "./field.js";

/** readObject is {value} of a text that is a JSON object, or empty, else {error}. */
export function readObject(text) {
  if (!text.trim()) return {};
  try {
    const value = JSON.parse(text);
    if (value && typeof value === "object" && !Array.isArray(value)) return { value };
    return { error: "This is JSON, but no object: write {\"name\": \"value\"}." };
  } catch (error) {
    return { error: `This is no JSON: ${error.message.replace(/ in JSON at position \d+ \(/, " (").replace(/"\.\.\.[^]*$/, "")}.` };
  }
}

/** JsonField is a control for an object. */
export const JsonField = ({ label, hint, error, value, onInput, rows = 3 }) => html`<${Field} label=${label} hint=${hint} error=${error}>
  ${(props) => html`<textarea ...${props} class="code" rows=${rows} spellcheck=${false} autocapitalize="none" value=${value} onInput=${(event) => onInput(event.target.value)}></textarea>`}
<//>`;
