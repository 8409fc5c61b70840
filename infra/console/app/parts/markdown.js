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

/**
 * clean is harmless HTML of a text: no scripts, no styles, no images. Links open elsewhere and tell nothing. A marker like [1] is a button
 * where `sources` has a name for it: the first one is that of [1].
 */
function clean(text, sources = []) {
  const fragment = purify.sanitize(marked.parse(text), {
    ALLOWED_TAGS: tags, ALLOWED_ATTR: ["href", "start", "align"], ALLOWED_URI_REGEXP: /^(?:https?|mailto):/i, RETURN_DOM_FRAGMENT: true,
  });
  for (const link of fragment.querySelectorAll("a")) {
    link.setAttribute("target", "_blank");
    link.setAttribute("rel", "noopener noreferrer nofollow");
  }
  if (sources.length) mark(fragment, sources);
  const box = document.createElement("div");
  box.append(fragment);
  return box.innerHTML;
}

/** mark makes buttons of the markers that a text has, but in what is quoted as it is. */
function mark(fragment, sources) {
  const walker = document.createTreeWalker(fragment, NodeFilter.SHOW_TEXT), texts = [];
  while (walker.nextNode()) if (!walker.currentNode.parentElement?.closest("code, pre, a")) texts.push(walker.currentNode);
  for (const text of texts) {
    const pieces = text.data.split(/\[(\d{1,3})\]/);
    if (pieces.length === 1) continue;
    text.replaceWith(...pieces.map((piece, i) => {
      if (i % 2 === 0) return piece;
      const name = sources[piece - 1];
      if (!name) return `[${piece}]`;
      const button = document.createElement("button");
      button.type = "button";
      button.className = "cite";
      button.dataset.source = piece;
      button.setAttribute("aria-label", `Source ${piece}: ${name}`);
      button.textContent = piece;
      return button;
    }));
  }
}

/** Markdown shows a text. Who gives `sources`, their names, is called with `open(n, times)` when the marker [n] is pressed that stands there for the time `times`, from 0. */
export function Markdown({ text, sources = [], open }) {
  const inside = useMemo(() => clean(text, sources), [text, sources.join("\n")]);
  const pressed = (event) => {
    const marker = event.target.closest("button[data-source]");
    if (!marker) return;
    const same = [...event.currentTarget.querySelectorAll(`button[data-source="${marker.dataset.source}"]`)];
    open(Number(marker.dataset.source), same.indexOf(marker));
  };
  return html`<div class="markdown" onClick=${pressed} dangerouslySetInnerHTML=${{ __html: inside }}></div>`;
}
