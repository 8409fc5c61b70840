import { html, useRef, useState } from "../ui.js";
import { ended, signIn } from "../session.js";
import { Input } from "../parts/input.js";
import { Problem } from "../parts/problem.js";

// What the API says to programs, for who types.
const hints = {
  unauthorized: "Look whether all of the key was copied, and whether it was revoked. A key is shown once, when it is made.",
  tenant_required: "Enter a key, or the id of a tenant that is open.",
};

const forPeople = (error) => ({ message: error.message, code: error.code, traceId: error.traceId, hint: hints[error.code] ?? error.hint });

/** SignIn asks for a key, or for the name of an open tenant. */
export function SignIn() {
  const [key, setKey] = useState("");
  const [tenant, setTenant] = useState("");
  const [error, setError] = useState(ended.value);
  const [busy, setBusy] = useState(false);
  const said = useRef(null);
  const submit = async (event) => {
    event.preventDefault();
    setBusy(true);
    try {
      await signIn({ key: key.trim(), tenant: tenant.trim() });
    } catch (failure) {
      setError(failure);
      setBusy(false);
      requestAnimationFrame(() => said.current?.focus()); // it is there by then, and is read
    }
  };
  return html`<main class="page narrow">
    <h1>Levada</h1>
    <p>Sign in with an API key of your tenant. It is kept in this tab until you close it or sign out.</p>
    ${error && html`<${Problem} error=${forPeople(error)} focus=${said} />`}
    <form onSubmit=${submit} aria-busy=${busy}>
      <${Input} label="API key" hint="Begins with lv_. An open tenant needs none." type="password" autocomplete="off" spellcheck=${false} aria-invalid=${error?.status === 401 ? "true" : undefined} value=${key} change=${setKey} />
      <${Input} label="Tenant" hint="Its id. May be left out: the address or the key name it." autocomplete="off" autocapitalize="none" spellcheck=${false} value=${tenant} change=${setTenant} />
      <p><button class="primary" disabled=${busy}>${busy ? "Signing in…" : "Sign in"}</button></p>
    </form>
  </main>`;
}
