import { html } from "../ui.js";

/** Facts is terms with their values: `of` is pairs of them. What has no value is left out. With `figures` the values are numbers to be seen from afar. */
export const Facts = ({ of, figures }) => html`<dl class=${figures ? "facts figures" : "facts"}>
  ${of.filter(([, value]) => value).map(([term, value]) => html`<div key=${term}><dt>${term}</dt><dd>${value}</dd></div>`)}
</dl>`;
