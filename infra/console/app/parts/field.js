import { html, useEffect, useId, useState } from "../ui.js";

/** toFault moves focus to what is wrong in a form, once it is shown: a control that says so, else what is said of all of it. */
export const toFault = (form) => requestAnimationFrame(() => form.current?.querySelector('[aria-invalid="true"], [role="alert"]')?.focus());

/** useFault is toFault for a form whose values are the address's: `error` is what is said of one of `names` when the page was asked for. */
export function useFault(form, error, names) {
  useEffect(() => { if (error && !faultBeside(error, names)) toFault(form); }, [error]);
}

/** faultOf is what a failure says of a field, or of something in it. */
export function faultOf(error, name) {
  if (!error?.field || !(error.field === name || error.field.startsWith(`${name}.`) || error.field.startsWith(`${name}[`))) return undefined;
  return error.hint ? `${error.message}: ${error.hint}` : error.message;
}

/** faultBeside is a failure that says nothing of these fields: it stands by itself. */
export const faultBeside = (error, names) => (error && !names.some((name) => faultOf(error, name)) ? error : undefined);

/** useDraft is what a form holds that begins with what is `given`, by the address for instance. When something else is, it begins anew. */
export function useDraft(given) {
  const [draft, setDraft] = useState(given);
  useEffect(() => setDraft(given), [JSON.stringify(given)]);
  return [draft, setDraft];
}

/** Field is a control with its label, and what is said about it. The child is a function of what the control has to have. */
export function Field({ label, hint, error, children }) {
  const id = useId();
  const said = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ");
  return html`<div class="field">
    <label for=${id}>${label}</label>
    ${hint && html`<p class="small" id=${`${id}-hint`}>${hint}</p>`}
    ${children({ id, "aria-describedby": said || undefined, ...(error && { "aria-invalid": "true" }) })}
    ${error && html`<p class="wrong" id=${`${id}-error`}>${error}</p>`}
  </div>`;
}
