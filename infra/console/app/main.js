import { effect, html, render } from "./ui.js";
import { resume, session } from "./session.js";
import { SignIn } from "./pages/sign-in.js";
import { Shell } from "./shell.js";
import { clear, Toasts } from "./parts/toast.js";

function App() {
  return html`${session.value ? html`<${Shell} />` : html`<${SignIn} />`}<${Toasts} />`;
}

await resume();
render(html`<${App} />`, document.getElementById("app"));
document.documentElement.dataset.ready = "true"; // what a test waits for

// Who signs out leaves nothing on the screen, and no title of what was there.
effect(() => {
  if (!session.value) document.title = "Sign in – Levada";
  clear();
});
