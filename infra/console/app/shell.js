// What stands around every page: who is signed in, where one can go, and the place where the page is.
import { html, useEffect, useRef, useState } from "./ui.js";
import { find, shown } from "./pages/index.js";
import { href, route } from "./router.js";
import { session, signOut, switchTo } from "./session.js";
import { choose, theme, themes } from "./theme.js";
import { Empty } from "./parts/empty.js";
import { Problem } from "./parts/problem.js";
import { announce, Announcer } from "./parts/announce.js";

export function Shell() {
  const [open, setOpen] = useState(false); // the menu, where there is little room
  const [failure, setFailure] = useState(null); // to change the tenant
  const main = useRef(null);
  const menu = useRef(null);
  const toMain = (event) => {
    event.preventDefault(); // the hash is the router's
    main.current.focus();
  };
  useEffect(() => setOpen(false), [route.value]);
  return html`
    <a class="skip" href="#main" onClick=${toMain}>Skip to the page</a>
    <header class="bar">
      <button ref=${menu} type="button" class="menu" aria-expanded=${open} aria-controls="nav" onClick=${() => setOpen(!open)}>Menu</button>
      <p class="brand"><a href=${href("overview")}>Levada</a></p>
      <div class="who"><${Tenant} failed=${setFailure} /> <span class="key">${session.value.name ?? "no key"}</span></div>
      <${Theme} />
      <button type="button" onClick=${() => signOut()}>Sign out</button>
    </header>
    <div class="frame">
      <${Nav} open=${open} close=${() => { setOpen(false); menu.current.focus(); }} />
      <main id="main" class="page" ref=${main} tabindex="-1">
        ${failure && html`<${Problem} error=${failure} />`}
        <${Page} key=${session.value.tenant} main=${main} />
      </main>
    </div>
    <${Announcer} />`;
}

/** Tenant says whose data this is; a key that opens several chooses. The page begins anew for another one. */
function Tenant({ failed }) {
  const { tenant, tenantName, opens } = session.value;
  const [next, setNext] = useState(null); // until it is there
  if (opens.length < 2) return html`<span class="tenant">${tenantName}</span>`;
  const change = async (event) => {
    if (next) return;
    const to = event.target.value;
    setNext(to);
    failed(null);
    try {
      await switchTo(to);
      if (session.value) announce(`This is ${session.value.tenantName} now.`);
    } catch (error) {
      failed(error);
    }
    setNext(null);
  };
  return html`<label class="tenant"><span class="hidden">Tenant</span>
    <select value=${next ?? tenant} aria-busy=${next !== null} onChange=${change}>
      ${opens.map(({ id, name }) => html`<option key=${id} value=${id}>${name}</option>`)}
    </select></label>`;
}

function Theme() {
  return html`<label class="theme"><span class="hidden">Colours</span>
    <select value=${theme.value} onChange=${(event) => choose(event.target.value)}>
      ${themes.map((name) => html`<option value=${name}>${name}</option>`)}
    </select></label>`;
}

/** Nav is one stop of the Tab key; the arrows go on from there. */
function Nav({ open, close }) {
  const list = useRef(null);
  const all = shown();
  const here = Math.max(0, all.findIndex((page) => page.id === route.value.page));
  const [at, setAt] = useState(here);
  useEffect(() => setAt(here), [here]);
  const move = (event) => {
    const to = { ArrowDown: at + 1, ArrowRight: at + 1, ArrowUp: at - 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (event.key === "Escape" && open) close();
    if (to === undefined) return;
    event.preventDefault();
    const next = (to + all.length) % all.length;
    setAt(next);
    list.current.querySelectorAll("a")[next].focus();
  };
  return html`<nav id="nav" class=${open ? "open" : ""} aria-label="Pages" onKeyDown=${move}>
    <ul ref=${list}>
      ${all.map((page, i) => html`<li key=${page.id}><a href=${href(page.id)} tabindex=${i === at ? 0 : -1} onFocus=${() => setAt(i)}
        aria-current=${page.id === route.value.page ? "page" : undefined}>${page.title}</a></li>`)}
    </ul>
  </nav>`;
}

/** Page loads the module of the page and shows it. Focus goes to it when somebody came from another one. */
function Page({ main }) {
  const { page: id, rest, query } = route.value;
  const page = find(id);
  const [loaded, setLoaded] = useState({});
  const before = useRef(id);
  useEffect(() => {
    document.title = `${page?.title ?? "Not found"} – Levada`;
    if (before.current !== id) main.current.focus();
    before.current = id;
    if (!page) return;
    let left = false;
    page.load().then(
      (module) => left || setLoaded({ id, Content: module.default }),
      () => left || setLoaded({ id, error: { code: "page_not_loaded", message: "the page did not load", hint: "reload the console; it may have been replaced by a newer one" } }),
    );
    return () => (left = true);
  }, [id]);
  if (!page) return html`<h1>Not found</h1><${Empty} title="There is no such page, or your key does not hold the scope for it."><a href=${href("overview")}>Overview</a><//>`;
  if (loaded.id !== id) return html`<h1>${page.title}</h1><p class="busy" role="status">Loading…</p>`;
  if (loaded.error) return html`<h1>${page.title}</h1><${Problem} error=${loaded.error} />`;
  return html`<${loaded.Content} key=${id} rest=${rest} query=${query} />`;
}
