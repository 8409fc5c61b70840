import { html } from "../ui.js";
import { When } from "./format.js";
import { DocumentLink } from "./links.js";
import { Table } from "./table.js";

/** Problems is what went wrong with a job, or with the lines of a batch. `nameOf` says what a line is. */
export const Problems = ({ caption, rows, nameOf = (line) => `line ${line}` }) => html`<${Table} caption=${caption} rows=${rows.map((row, i) => ({ ...row, i }))} rowKey=${(row) => row.i} columns=${[
  { title: "Where", value: (p) => html`${p.docId ? html`<${DocumentLink} id=${p.docId} />` : p.line ? nameOf(p.line) : "all of it"}${p.stage && html` <span class="tag">${p.stage}</span>`}` },
  { title: "What", value: (p) => html`${p.message} <code>${p.code}</code>${p.field && html` <span class="small">at ${p.field}</span>`}${p.hint && html`<br /><span class="small">${p.hint}</span>`}` },
  { title: "When", value: (p) => (p.at ? html`<${When} at=${p.at} />` : "–") },
]} />`;
