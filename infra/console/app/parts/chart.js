import { html, useEffect, useRef, useState } from "../ui.js";
import uPlot from "../../vendor/uplot.js";
import { theme } from "../theme.js";
import { Table } from "./table.js";

/**
 * Chart is lines over time. `times` are seconds, a series is {title, values, format}; what is not known is null. Who cannot see the lines
 * opens the same as a table.
 */
export function Chart({ title, times, series, height = 220 }) {
  const box = useRef(null);
  const dark = useDark();
  useEffect(() => {
    const color = (name) => { // as it is just now, since a canvas knows no properties
      box.current.style.color = `var(${name})`;
      return getComputedStyle(box.current).color;
    };
    const axis = { stroke: color("--soft"), grid: { stroke: color("--line"), width: 1 }, ticks: { stroke: color("--line"), width: 1 } };
    const plot = new uPlot({
      width: box.current.clientWidth, height, cursor: { drag: { x: false, y: false } },
      series: [{}, ...series.map((s, i) => ({ label: s.title, stroke: color(`--series-${i % 4 + 1}`), width: 2, value: (_, v) => show(s, v) }))],
      axes: [axis, { ...axis, size: 64, values: (_, all) => all.map((v) => show(series[0], v)) }],
    }, [times, ...series.map((s) => s.values)], box.current);
    const fit = new ResizeObserver(([entry]) => plot.setSize({ width: entry.contentRect.width, height }));
    fit.observe(box.current);
    return () => {
      fit.disconnect();
      plot.destroy();
    };
  }, [times, series, height, theme.value, dark]);
  const rows = times.map((at, i) => ({ at, values: series.map((s) => s.values[i]) }));
  return html`<figure class="chart">
    <figcaption>${title}</figcaption>
    <div ref=${box} aria-hidden="true"></div>
    <details><summary>As a table</summary>
      <${Table} caption=${title} rows=${rows} rowKey=${(r) => r.at} columns=${[
        { title: "Time", value: (r) => new Date(r.at * 1000).toLocaleString() },
        ...series.map((s, i) => ({ title: s.title, number: true, value: (r) => show(s, r.values[i]) })),
      ]} />
    </details>
  </figure>`;
}

/** useDark follows the system's colours. */
function useDark() {
  const [query] = useState(() => matchMedia("(prefers-color-scheme: dark)"));
  const [dark, setDark] = useState(query.matches);
  useEffect(() => {
    const changed = () => setDark(query.matches);
    query.addEventListener("change", changed);
    return () => query.removeEventListener("change", changed);
  }, []);
  return dark;
}

const show = (series, value) => (value === null || value === undefined ? "–" : (series.format ?? String)(value));
