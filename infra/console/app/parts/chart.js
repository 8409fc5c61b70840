import { html, useEffect, useRef, useState } from "../ui.js";
import uPlot from "../../vendor/uplot.js";
import { theme } from "../theme.js";
import { Table } from "./table.js";

/**
 * Chart is lines over time, or with `stacked` a bar of each day, in UTC. `times` are seconds, a series is {title, values, format}; what is
 * not known is null. Who cannot see the lines opens the same as a table.
 */
export function Chart({ title, times, series, stacked = false, height = 220 }) {
  const box = useRef(null);
  const dark = useDark();
  useEffect(() => {
    const color = (name) => { // as it is just now, since a canvas knows no properties
      box.current.style.color = `var(${name})`;
      const as = getComputedStyle(box.current).color;
      box.current.style.color = "";
      return as;
    };
    const axis = { stroke: color("--soft"), grid: { stroke: color("--line"), width: 1 }, ticks: { stroke: color("--line"), width: 1 } };
    const line = (s, i) => ({ label: s.title, stroke: color(`--series-${i % 5 + 1}`), width: 2, points: { size: 4 }, value: (_, v) => show(s, v) });
    const bar = (s, i) => ({ // as high as what is below it and itself: the highest is drawn first
      ...line(s, i), width: 0, fill: color(`--series-${i % 5 + 1}`), points: { show: false }, paths: uPlot.paths.bars({ size: [0.7, 48] }),
      value: (_, __, ___, at) => show(s, at === null || at === undefined ? null : s.values[at]),
    });
    const heights = () => series.map((_, i) => times.map((__, at) => series.slice(0, i + 1).reduce((sum, s) => sum + (s.values[at] ?? 0), 0)));
    const plot = new uPlot({
      width: box.current.clientWidth, height, cursor: { drag: { x: false, y: false } },
      series: [{ value: (_, at) => (at ? when(at, stacked) : "–") }, ...(stacked ? series.map(bar).reverse() : series.map(line))],
      axes: [{ ...axis, values: (_, all) => all.map((at) => tick(at, stacked)) }, { ...axis, size: 76, values: (_, all) => all.map((v) => show(series[0], v)) }],
      scales: { x: stacked ? { range: (_, from, to) => [from - day / 2, to + day / 2] } : {}, y: { range: (_, __, most) => [0, most > 0 ? most * 1.1 : 1] } },
      ...(stacked && { tzDate: (at) => uPlot.tzDate(new Date(at * 1000), "Etc/UTC") }),
    }, [times, ...(stacked ? heights().reverse() : series.map((s) => s.values))], box.current);
    const fit = new ResizeObserver(([entry]) => plot.setSize({ width: entry.contentRect.width, height }));
    fit.observe(box.current);
    return () => {
      fit.disconnect();
      plot.destroy();
    };
  }, [times, series, stacked, height, theme.value, dark]);
  const rows = times.map((at, i) => ({ at, values: series.map((s) => s.values[i]) }));
  return html`<figure class="chart">
    <figcaption>${title}</figcaption>
    <div ref=${box} aria-hidden="true"></div>
    <details><summary>As a table</summary>
      <${Table} caption=${title} rows=${rows} rowKey=${(r) => r.at} columns=${[
        { title: stacked ? "Day" : "Time", value: (r) => when(r.at, stacked) },
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

const day = 86_400;

const when = (seconds, dayOnly) => (dayOnly ? new Date(seconds * 1000).toLocaleDateString(undefined, { timeZone: "UTC" }) : new Date(seconds * 1000).toLocaleString());

/** tick is a mark below the lines: the time of day, and the date where a day begins. */
function tick(seconds, dayOnly) {
  const at = new Date(seconds * 1000);
  if (dayOnly || (at.getHours() === 0 && at.getMinutes() === 0)) return at.toLocaleDateString(undefined, { day: "numeric", month: "short", timeZone: dayOnly ? "UTC" : undefined });
  return at.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });
}

const show = (series, value) => (value === null || value === undefined ? "–" : (series.format ?? String)(value));
