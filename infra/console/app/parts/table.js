import { html, useId } from "../ui.js";
import { Empty } from "./empty.js";

/**
 * Table is rows of equal things. A column is {title, value(row), number}; the first one names the row. It scrolls by itself where there
 * is little room, by keyboard, too.
 */
export function Table({ caption, columns, rows, rowKey, empty = "There is nothing yet." }) {
  const id = useId();
  if (rows.length === 0) return html`<${Empty} title=${empty} />`;
  return html`<div class="scroll" role="region" aria-labelledby=${id} tabindex="0">
    <table>
      <caption id=${id}>${caption}</caption>
      <thead><tr>${columns.map((c) => html`<th key=${c.title} scope="col" class=${c.number ? "number" : ""}>${c.title}</th>`)}</tr></thead>
      <tbody>${rows.map((row) => html`<tr key=${rowKey(row)}>${columns.map((c, i) => i === 0
        ? html`<th key=${c.title} scope="row">${c.value(row)}</th>`
        : html`<td key=${c.title} class=${c.number ? "number" : ""}>${c.value(row)}</td>`)}</tr>`)}</tbody>
    </table>
  </div>`;
}
