package openmetrics

import (
	"slices"
	"strconv"
	"strings"

	"levada.dev/events/meter"
	"levada.dev/tenants/quota"
)

// Append writes all of a set, and how the budgets stand, to b. Metrics of which nothing was counted are not there. The same counts are the same text.
func Append(b []byte, f Format, set *meter.Set, budgets []quota.Budget) []byte {
	w := &writer{b: b, format: f}
	type row struct {
		labels [3]string
		cell   meter.Cell
	}
	rows := map[meter.Metric][]row{}
	for of, c := range set.All() {
		rows[of.Metric] = append(rows[of.Metric], row{of.Labels, c})
	}
	for _, m := range meter.Metrics() {
		of, spec := rows[m], m.Spec()
		if len(of) == 0 {
			continue
		}
		slices.SortFunc(of, func(a, b row) int { return slices.Compare(a.labels[:], b.labels[:]) })
		w.head(spec)
		for _, r := range of {
			if spec.Histogram {
				w.histogram(spec, r.labels, r.cell)
			} else {
				w.sample(spec.Name+"_total", spec.Labels, r.labels[:], number(spec.Unit, r.cell.Sum))
			}
		}
	}
	w.budgets("levada_budget_used", "What of the tenant's budgets is spent.", budgets, func(b quota.Budget) int64 { return b.Spent })
	w.budgets("levada_budget_limit", "The tenant's budgets.", budgets, func(b quota.Budget) int64 { return b.Limit })
	if f == OpenMetrics {
		w.b = append(w.b, "# EOF\n"...)
	}
	return w.b
}

type writer struct {
	b      []byte
	format Format
}

func (w *writer) add(parts ...string) {
	for _, p := range parts {
		w.b = append(w.b, p...)
	}
}

// units are what each unit is called, where a metric has one: its name ends with it.
var units = map[meter.Unit]string{meter.Micros: "seconds", meter.NanoUSD: "usd", meter.Tokens: "tokens", meter.Chars: "characters"}

// head says what a metric is. The two formats name counters differently: OpenMetrics without the ending that their samples have.
func (w *writer) head(s meter.Spec) {
	name, kind := s.Name, "counter"
	switch {
	case s.Histogram:
		kind = "histogram"
	case w.format == Prometheus:
		name += "_total"
	}
	w.about(name, kind, units[s.Unit], s.Help)
}

func (w *writer) about(name, kind, unit, help string) {
	if w.format == Prometheus {
		w.add("# HELP ", name, " ", strings.NewReplacer(`\`, `\\`, "\n", `\n`).Replace(help), "\n# TYPE ", name, " ", kind, "\n")
		return
	}
	w.add("# TYPE ", name, " ", kind, "\n")
	if unit != "" {
		w.add("# UNIT ", name, " ", unit, "\n")
	}
	w.add("# HELP ", name, " ", escaped.Replace(help), "\n")
}

// escaped is a text as both formats have it between quotes, and OpenMetrics everywhere.
var escaped = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)

func (w *writer) sample(name string, labels, values []string, number string) {
	w.add(name)
	before := "{"
	for i, label := range labels {
		w.add(before, label, `="`, escaped.Replace(strings.ToValidUTF8(values[i], "\uFFFD")), `"`)
		before = ","
	}
	if len(labels) > 0 {
		w.add("}")
	}
	w.add(" ", number, "\n")
}

// histogram writes the buckets, each with all below it, and what they come to.
func (w *writer) histogram(s meter.Spec, values [3]string, c meter.Cell) {
	labels := append(slices.Clone(s.Labels), "le")
	with := append(slices.Clone(values[:len(s.Labels)]), "")
	below := int64(0)
	for i, bound := range meter.Bounds() {
		below += c.Buckets[uint8(i)]
		with[len(with)-1] = w.bound(bound.Microseconds())
		w.sample(s.Name+"_bucket", labels, with, strconv.FormatInt(below, 10))
	}
	with[len(with)-1] = "+Inf"
	w.sample(s.Name+"_bucket", labels, with, strconv.FormatInt(c.Count, 10))
	w.sample(s.Name+"_sum", s.Labels, values[:], number(s.Unit, c.Sum))
	w.sample(s.Name+"_count", s.Labels, values[:], strconv.FormatInt(c.Count, 10))
}

// bound is an upper bound of seconds. OpenMetrics wants it to look like a float in any case.
func (w *writer) bound(micros int64) string {
	text := decimal(micros, 6)
	if w.format == OpenMetrics && !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}

// budgets writes a gauge of each budget, dollars as dollars.
func (w *writer) budgets(name, help string, all []quota.Budget, of func(quota.Budget) int64) {
	if len(all) == 0 {
		return
	}
	w.about(name, "gauge", "", help)
	for _, b := range all {
		unit, text := b.Unit, strconv.FormatInt(of(b), 10)
		if unit == "nanoUSD" {
			unit, text = "usd", decimal(of(b), 9)
		}
		w.sample(name, []string{"period", "unit"}, []string{b.Period, unit}, text)
	}
}

// number is a sum as it is read: in seconds and dollars.
func number(u meter.Unit, v int64) string {
	switch u {
	case meter.Micros:
		return decimal(v, 6)
	case meter.NanoUSD:
		return decimal(v, 9)
	}
	return strconv.FormatInt(v, 10)
}

// decimal is v with so many places after the point, exactly and no longer than it has to be: decimal(1500, 3) is "1.5".
func decimal(v int64, places int) string {
	sign, digits := "", strconv.FormatInt(v, 10)
	if v < 0 {
		sign, digits = "-", digits[1:]
	}
	if short := places + 1 - len(digits); short > 0 {
		digits = strings.Repeat("0", short) + digits
	}
	whole, rest := digits[:len(digits)-places], strings.TrimRight(digits[len(digits)-places:], "0")
	if rest != "" {
		rest = "." + rest
	}
	return sign + whole + rest
}
