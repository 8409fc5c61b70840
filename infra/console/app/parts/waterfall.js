// The spans of a trace as a tree over time.
import { html, useMemo, useRef, useState } from "../ui.js";
import { duration } from "./format.js";

/** treeOf puts spans below the ones that began them: [{span, level, parent, below, index, count}], each before what is below it. */
function treeOf(spans) {
  const known = new Set(spans.map((s) => s.spanId));
  const below = Map.groupBy(spans, (s) => (known.has(s.parentSpanId) && s.parentSpanId !== s.spanId ? s.parentSpanId : ""));
  const rows = [], met = new Set();
  const put = (all, level, parent) => all.forEach((span, index) => {
    if (met.has(span.spanId)) return;
    met.add(span.spanId);
    const inner = below.get(span.spanId) ?? [];
    rows.push({ span, level, parent, below: inner.length, index, count: all.length });
    put(inner, level + 1, span.spanId);
  });
  put(below.get("") ?? [], 1, "");
  const rest = spans.filter((s) => !met.has(s.spanId)); // spans that are each other's parents
  rest.forEach((span, index) => rows.push({ span, level: 1, parent: "", below: 0, index, count: rest.length }));
  return rows;
}

/** Waterfall is one stop of the Tab key: up and down go from span to span, right and left open and close what is below one. */
export function Waterfall({ spans, total, selected, select }) {
  const rows = useMemo(() => treeOf(spans), [spans]);
  const [closed, setClosed] = useState(new Set());
  const list = useRef(null);
  const hidden = new Set();
  const visible = rows.filter(({ span, parent }) => {
    if (hidden.has(parent) || closed.has(parent)) hidden.add(span.spanId);
    return !hidden.has(span.spanId);
  });
  const at = Math.max(0, visible.findIndex(({ span }) => span.spanId === selected));
  const to = (i) => {
    list.current.children[i].focus();
    select(visible[i].span.spanId);
  };
  const toggle = (id, close) => setClosed((before) => {
    const next = new Set(before);
    if (close) next.add(id);
    else next.delete(id);
    return next;
  });
  const press = (event) => {
    const { span, parent, below } = visible[at];
    const open = below > 0 && !closed.has(span.spanId);
    const act = {
      ArrowDown: () => to(Math.min(at + 1, visible.length - 1)),
      ArrowUp: () => to(Math.max(at - 1, 0)),
      Home: () => to(0),
      End: () => to(visible.length - 1),
      ArrowRight: () => (open ? to(at + 1) : below && toggle(span.spanId, false)),
      ArrowLeft: () => (open ? toggle(span.spanId, true) : parent && to(visible.findIndex((row) => row.span.spanId === parent))),
    }[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  };
  return html`<div class="waterfall">
    <div class="scale" aria-hidden="true"><span></span><ol>${[0, 0.25, 0.5, 0.75].map((part) => html`<li key=${part}>${duration(part * total)}</li>`)}</ol><span></span></div>
    <div role="tree" aria-label="Spans" ref=${list} onKeyDown=${press}>
      ${visible.map(({ span, level, below, index, count }, i) => html`<div key=${span.spanId} role="treeitem" aria-level=${level} aria-posinset=${index + 1} aria-setsize=${count}
        aria-expanded=${below ? String(!closed.has(span.spanId)) : undefined} aria-selected=${i === at} tabindex=${i === at ? 0 : -1} onClick=${() => to(i)}>
        <span class="what" style=${{ paddingInlineStart: `${(level - 1) * 0.75}rem` }}>
          <span class="toggle" aria-hidden="true" onClick=${(event) => { if (below) { event.stopPropagation(); toggle(span.spanId, !closed.has(span.spanId)); } }}>${below ? (closed.has(span.spanId) ? "▸" : "▾") : ""}</span>
          <span class="name">${span.name}</span> <span class="kind">${span.kind}</span>
          ${bad(span) && html` <span class=${`state ${span.outcome === "failed" ? "bad" : "warn"}`}>${span.outcome}</span>`}
          <span class="hidden"> in ${span.worker}, from ${duration(span.offsetMs)}, took </span>
        </span>
        <span class="track" aria-hidden="true"><span class=${`bar-of ${span.kind} ${span.outcome}`} style=${place(span, total)}></span></span>
        <span class="took">${duration(span.durationMs)}</span>
      </div>`)}
    </div>
  </div>`;
}

const bad = (span) => span.outcome !== "ok";

/** place is where a span lies in the time of its trace; one of no time can be seen, too. */
function place({ offsetMs, durationMs }, total) {
  const left = total ? Math.min(99.5, (100 * offsetMs) / total) : 0;
  const width = total ? Math.min(100 - left, (100 * durationMs) / total) : 100;
  return { left: `${left}%`, width: `max(${width}%, 3px)` };
}
