import { html } from "../ui.js";
import { Going } from "./going.js";

/** Stop is the button of what takes its time; it goes with that, and focus on it goes to `back`, a ref. */
export const Stop = ({ stop, back }) => html`<${Going} class="danger" back=${back} onClick=${stop}>Stop<//>`;
