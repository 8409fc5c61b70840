import { html } from "../ui.js";
import { Field } from "./field.js";

/**
 * Choice is a labelled list to choose from. `options` are values, or pairs of a value and its name; `none` is the name of no choice, where
 * there may be none. `change` is called with the value.
 */
export const Choice = ({ label, hint, error, options, value = "", none, change }) => html`<${Field} label=${label} hint=${hint} error=${error}>
  ${(props) => html`<select ...${props} value=${value} onChange=${(event) => change(event.target.value)}>
    ${none && html`<option value="">${none}</option>`}
    ${options.map((option) => [option].flat()).map(([id, name = id]) => html`<option key=${id} value=${id}>${name}</option>`)}
  </select>`}<//>`;
