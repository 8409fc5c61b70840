// What models and documents write is Markdown of strangers: HTML in it is shown as it is written, and of what it is made into only what
// is harmless is shown.
import { html, useMemo } from "../ui.js";
import { Marked } from "../../vendor/marked.js";
import purify from "../../vendor/purify.js";

const escape = (text) => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

const marked = new Marked({ gfm: true, breaks: false, async: false, renderer: {
  html: ({ text }) => escape(text),
  image: ({ text }) => escape(text), // it would tell another server who reads
} });

const tags = ["a", "b", "blockquote", "br", "code", "del", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "li", "ol", "p", "pre", "strong", "sub", "sup", "table", "tbody", "td", "th", "thead", "tr", "ul"];

/** clean is harmless HTML of a text: no scripts, no styles, no images. Links open elsewhere and tell nothing. */
export function clean(text) {
  const fragment = purify.sanitize(marked.parse(text), {
    ALLOWED_TAGS: tags, ALLOWED_ATTR: ["href", "start", "align"], ALLOWED_URI_REGEXP: /^(?:https?|mailto):/i, RETURN_DOM_FRAGMENT: true,
  });
  for (const link of fragment.querySelectorAll("a")) {
    link.setAttribute("target", "_blank");
    link.setAttribute("rel", "noopener noreferrer nofollow");
  }
  const box = document.createElement("div");
  box.append(fragment);
  return box.innerHTML;
}

/** Markdown shows a text. */
export function Markdown({ text }) {
  const inside = useMemo(() => clean(text), [text]);
  return html`<div class="markdown" dangerouslySetInnerHTML=${{ __html: inside }}></div>`;
}
