// Who is signed in: a key, or an open tenant without one. It is kept for this tab alone, and nowhere else.
import { identify, get } from "./api.js";
import { go, route } from "./router.js";
import { signal } from "./ui.js";

const stored = "levada.session";

let signed = null; // {key, tenant} of who is signed in

/** session is null, or {tenant, tenantName, name, scopes, features, opens}: what GET /whoami answers. */
export const session = signal(null);

/** ended is why somebody was signed out, for the page that is shown then. */
export const ended = signal(null);

/** may reports whether the key holds a scope, and has whether the tenant has a feature. */
export const may = (scope) => !scope || (session.value?.scopes.includes(scope) ?? false);
export const has = (feature) => !feature || (session.value?.features.includes(feature) ?? false);

/** signIn asks who the caller is; nothing changes when that fails. */
export async function signIn({ key = "", tenant = "" }) {
  enter(key, await get("/whoami", { as: { key, tenant } }));
}

/** switchTo acts for another tenant that the key opens; nothing changes when that fails. What the address names was the former one's. */
export async function switchTo(tenant) {
  const before = signed;
  try {
    const caller = await get("/whoami", { as: { key: before.key, tenant } });
    if (signed !== before) return; // signed out meanwhile
    go(route.value.page, [], {}, { replace: true });
    enter(before.key, caller);
  } catch (error) {
    if (error.code === "unauthorized" && signed === before) signOut(error);
    else if (signed === before) throw error;
  }
}

function enter(key, caller) {
  signed = { key, tenant: caller.tenant };
  identify(signed, (failure) => signOut(failure));
  keep(signed);
  ended.value = null;
  session.value = caller;
}

/** signOut forgets the key. */
export function signOut(why = null) {
  signed = null;
  identify({ key: "", tenant: "" });
  keep(null);
  ended.value = why;
  session.value = null;
}

/** resume signs in again after a reload. A key that is not good any more is forgotten; a platform that is away is not the key's fault. */
export async function resume() {
  const before = kept();
  if (!before) return;
  try {
    await signIn(before);
  } catch (error) {
    if (error.status === 401 || error.status === 403 || error.status === 404) keep(null);
    ended.value = error;
  }
}

function kept() {
  try {
    return JSON.parse(sessionStorage.getItem(stored) ?? "null");
  } catch {
    return null;
  }
}

function keep(signed) {
  try {
    if (signed) sessionStorage.setItem(stored, JSON.stringify(signed));
    else sessionStorage.removeItem(stored);
  } catch {} // storage may be forbidden: then a reload signs out
}
