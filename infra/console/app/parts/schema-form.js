// A form made of a JSON Schema. What somebody has typed so far is a draft: texts as they stand, lists and objects of drafts, undefined
// for what is left out. read makes the value of it.
import { html, useId, useRef } from "../ui.js";
import { Choice } from "./choice.js";
import { Field } from "./field.js";
import { Input } from "./input.js";

/** kindOf is which control a schema gets: what is none of the simple ones is written as JSON. */
function kindOf(schema) {
  if (Array.isArray(schema.enum)) return "choice";
  switch (schema.type) {
    case "boolean": case "integer": case "number": case "string": return schema.type;
    case "array": return Array.isArray(schema.items?.enum) ? "choices" : schema.items?.type ? "list" : "json";
    case "object": return schema.properties && Object.keys(schema.properties).length ? "object" : "json";
  }
  return "json";
}

/** draftOf is what a form begins with: what the schema has by itself. */
export function draftOf(schema) {
  switch (kindOf(schema)) {
    case "object": return Object.fromEntries(Object.entries(schema.properties).map(([name, inner]) => [name, draftOf(inner)]));
    case "choices": case "list": return Array.isArray(schema.default) ? schema.default.map(String) : [];
    case "json": return schema.default === undefined ? "" : JSON.stringify(schema.default, null, 2);
  }
  return schema.default === undefined ? "" : String(schema.default);
}

/** read answers {value, faults}: the value of a draft, undefined when all of it is left out, and by their paths what cannot be one. */
export function read(schema, draft, path, required = false) {
  const fault = (message) => ({ faults: { [path]: message } });
  const nothing = required ? fault("is required") : { faults: {} };
  const kind = kindOf(schema);
  if (kind === "object") {
    const value = {}, faults = {};
    for (const [name, inner] of Object.entries(schema.properties)) {
      const got = read(inner, draft[name], `${path}.${name}`, schema.required?.includes(name));
      Object.assign(faults, got.faults);
      if (got.value !== undefined) value[name] = got.value;
    }
    const empty = Object.keys(value).length === 0;
    if (empty && !required && Object.values(draft).every(blank)) return { faults: {} };
    return { value, faults };
  }
  if (kind === "choices" || kind === "list") {
    if (draft.length === 0) return required ? { value: [], faults: {} } : { faults: {} };
    const all = draft.map((one, i) => (kind === "choices" ? { value: schema.items.enum.find((choice) => String(choice) === one), faults: {} } : read(schema.items, one, `${path}[${i}]`, true)));
    return { value: all.map(({ value }) => value), faults: Object.assign({}, ...all.map(({ faults }) => faults)) };
  }
  if (draft === "" || draft === undefined) return nothing;
  switch (kind) {
    case "choice": return { value: schema.enum.find((choice) => String(choice) === draft), faults: {} };
    case "boolean": return { value: draft === "true", faults: {} };
    case "string": return { value: draft, faults: {} };
    case "integer": case "number": {
      const value = Number(draft);
      if (Number.isNaN(value)) return fault("is no number");
      return kind === "integer" && !Number.isInteger(value) ? fault("is no whole number") : { value, faults: {} };
    }
  }
  try {
    return { value: JSON.parse(draft), faults: {} };
  } catch (error) {
    return fault(`is no JSON: ${error.message}`);
  }
}

const blank = (draft) => draft === undefined || draft === "" || (Array.isArray(draft) ? draft.length === 0 : typeof draft === "object" && Object.values(draft).every(blank));

/** SchemaForm is the controls of an object's properties. `faults` says by paths, such as params.names[0], what is wrong. */
export const SchemaForm = ({ schema, draft, change, path, faults }) => html`${Object.entries(schema.properties ?? {}).map(([name, inner]) => html`<${Control} key=${name} name=${name}
  schema=${inner} path=${`${path}.${name}`} required=${schema.required?.includes(name)} draft=${draft[name]} faults=${faults} change=${(next) => change({ ...draft, [name]: next })} />`)}`;

function Control(props) {
  const { schema, name, path, required, draft, change, faults } = props;
  const kind = kindOf(schema);
  if (kind === "object") return html`<${Group} ...${props}><${SchemaForm} schema=${schema} draft=${draft} change=${change} path=${path} faults=${faults} /><//>`;
  if (kind === "choices") return html`<${Choices} ...${props} />`;
  if (kind === "list") return html`<${List} ...${props} />`;
  const inside = kind === "json" ? Object.keys(faults).find((at) => at.startsWith(`${path}.`) || at.startsWith(`${path}[`)) : undefined;
  const error = faults[path] ?? (inside && `${inside.slice(path.length).replace(/^\./, "")} ${faults[inside]}`);
  const on = { label: titled(name, required), hint: hintOf(schema, kind), error, value: draft ?? "", change };
  const none = required ? "choose" : "left out", needed = Boolean(required);
  if (kind === "choice") return html`<${Choice} ...${on} none=${(!required || draft === "") && none} options=${schema.enum.map(String)} />`;
  if (kind === "boolean") return html`<${Choice} ...${on} none=${none} options=${[["true", "yes"], ["false", "no"]]} />`;
  if (kind === "integer" || kind === "number") return html`<${Input} ...${on} type="number" required=${needed} step=${kind === "integer" ? 1 : "any"} min=${schema.minimum} max=${schema.maximum} />`;
  if (kind === "string" && schema.maxLength <= 500) return html`<${Input} ...${on} required=${needed} maxlength=${schema.maxLength} />`;
  const as = kind === "json" ? { class: "code", rows: 3, spellcheck: false, autocapitalize: "none" } : { rows: schema.maxLength > 2000 ? 6 : 3, maxlength: schema.maxLength };
  return html`<${Field} ...${on}>${(given) => html`<textarea ...${given} ...${as} required=${needed} value=${on.value} onInput=${(event) => change(event.target.value)}></textarea>`}<//>`;
}

const titled = (name, required) => html`${name}${required && html` <span class="needed">required</span>`}`;

/** hintOf is what the schema says of a value, for people. */
function hintOf(schema, kind) {
  const limits = [];
  if (schema.minLength > 1) limits.push(`at least ${schema.minLength} characters`);
  if (schema.maxLength) limits.push(`at most ${schema.maxLength.toLocaleString("en")} characters`);
  if (schema.minimum !== undefined && schema.maximum !== undefined) limits.push(`${schema.minimum} to ${schema.maximum.toLocaleString("en")}`);
  else if (schema.minimum !== undefined) limits.push(`${schema.minimum} or more`);
  else if (schema.maximum !== undefined) limits.push(`${schema.maximum} or less`);
  if (schema.minItems) limits.push(`at least ${schema.minItems}`);
  if (schema.maxItems) limits.push(`at most ${schema.maxItems}`);
  if (kind === "json") limits.push(schema.type === "object" ? "a JSON object" : "JSON");
  return [schema.description, limits.length && `(${limits.join(", ")})`].filter(Boolean).join(" ") || undefined;
}

/** Group is several controls under one name. */
function Group({ schema, name, path, required, faults, children }) {
  const id = useId();
  const hint = hintOf(schema, kindOf(schema)), error = faults[path];
  return html`<fieldset class="field" aria-describedby=${[hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ") || undefined} tabindex=${error ? -1 : undefined} data-wrong=${error ? "" : undefined}>
    <legend>${titled(name, required)}</legend>
    ${hint && html`<p class="small" id=${`${id}-hint`}>${hint}</p>`}
    ${children}
    ${error && html`<p class="wrong" id=${`${id}-error`}>${error}</p>`}
  </fieldset>`;
}

/** Choices are some of what there is to choose from. */
function Choices(props) {
  const { schema, draft, change, path, faults } = props;
  const wrong = Object.entries(faults).find(([at]) => at.startsWith(`${path}[`));
  return html`<${Group} ...${props} faults=${wrong ? { ...faults, [path]: wrong[1] } : faults}><div class="checks">${schema.items.enum.map((choice) => html`<label key=${choice} class="check">
    <input type="checkbox" checked=${draft.includes(String(choice))} onChange=${(event) => change(event.target.checked ? [...draft, String(choice)] : draft.filter((one) => one !== String(choice)))} /> ${String(choice)}
  </label>`)}</div><//>`;
}

/** List is as many values of one kind as somebody likes. */
function List(props) {
  const { schema, name, draft, change, path, faults } = props;
  const box = useRef(null);
  const add = () => {
    change([...draft, draftOf(schema.items)]);
    requestAnimationFrame(() => box.current?.querySelector(":scope > .item:last-of-type :is(input, select, textarea)")?.focus());
  };
  const remove = (i) => {
    change(draft.filter((_, at) => at !== i));
    box.current.querySelector(":scope > button").focus();
  };
  return html`<${Group} ...${props}><div ref=${box}>
    ${draft.map((one, i) => html`<div key=${i} class="item">
      <${Control} name=${`${name} ${i + 1}`} schema=${{ ...schema.items, description: undefined }} path=${`${path}[${i}]`} draft=${one} faults=${faults} change=${(next) => change(draft.map((before, at) => (at === i ? next : before)))} />
      <button type="button" aria-label=${`Remove ${name} ${i + 1}`} onClick=${() => remove(i)}>Remove</button>
    </div>`)}
    <button type="button" onClick=${add} disabled=${draft.length >= (schema.maxItems ?? Infinity)}>Add to ${name}</button>
  </div><//>`;
}
