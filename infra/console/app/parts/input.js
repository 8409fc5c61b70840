import { html } from "../ui.js";
import { Field } from "./field.js";

/** Input is a labelled line to write in. `change` is called with what it holds; `more` is what else it is, such as {type: "number", min: 1}. */
export const Input = ({ label, hint, error, value, change, ...more }) => html`<${Field} label=${label} hint=${hint} error=${error}>
  ${(props) => html`<input type="text" ...${props} ...${more} value=${value} onInput=${(event) => change(event.target.value)} />`}<//>`;
