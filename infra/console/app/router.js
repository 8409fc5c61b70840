// Where somebody is: the hash of the address, such as #/documents/guide?state=failed.
import { signal } from "./ui.js";

/** route is {page, rest, query}: the id of a page, the parts of the path after it, and the parameters. */
export const route = signal(parse(location.hash));

addEventListener("hashchange", () => (route.value = parse(location.hash)));

export function parse(hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?");
  const [page, ...rest] = path.split("/").map(decode);
  return { page: page || "overview", rest, query: Object.fromEntries(new URLSearchParams(query)) };
}

/** decode lets what is no encoding stand as it is: anybody can type an address. */
function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** href is the address of a page; parameters that are empty are left out. */
export const href = (page, rest = [], query) => `#/${[page, ...rest].map(encodeURIComponent).join("/")}${queryOf(query)}`;

/** queryOf is the part of an address that has its parameters, with the question mark. */
export function queryOf(parameters = {}) {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return given.length ? `?${new URLSearchParams(given)}` : "";
}

/** go leads to a page; with `replace` the way back passes over where one was. */
export function go(page, rest, query, { replace = false } = {}) {
  const to = href(page, rest, query);
  if (!replace) location.hash = to;
  else {
    history.replaceState(null, "", to);
    route.value = parse(to);
  }
}
