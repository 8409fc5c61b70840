import { html, useState } from "../ui.js";
import { Dialog } from "./dialog.js";
import { Problem } from "./problem.js";

/**
 * Confirm asks before something is done that cannot be taken back. `act` does it: then the dialog is closed, and what it throws is shown.
 * `yes` is what the button says that does it, `doing` what it says meanwhile, `no` what leaves all as it is; below `children` say what it means.
 */
export function Confirm({ title, act, yes, doing, no, close, children }) {
  const [state, setState] = useState({});
  const run = async () => {
    if (state.busy) return;
    setState({ busy: true });
    try {
      await act();
      close();
    } catch (error) {
      setState({ error });
    }
  };
  return html`<${Dialog} title=${title} close=${close}>
    ${children}
    ${state.error && html`<${Problem} error=${state.error} />`}
    <p class="buttons"><button type="button" class="danger" aria-busy=${Boolean(state.busy)} onClick=${run}>${state.busy ? doing : yes}</button> <button type="button" onClick=${close}>${no}</button></p>
  <//>`;
}
