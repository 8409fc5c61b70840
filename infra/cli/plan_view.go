package cli

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"levada.dev/infra/deploy"
)

// few is how many names a line of a plan has.
const few = 6

// planLines are a plan for people: what is done for the same reasons to resources of one kind is one line, and what stays is counted.
func planLines(p *deploy.Plan) []string {
	type line struct {
		op    deploy.Op
		kind  string
		why   []string
		names []string
	}
	var lines []*line
	same := 0
	for _, a := range p.Actions {
		if a.Op == deploy.Same && len(a.Why) == 0 {
			same++
			continue
		}
		why := reasons(p.Unit, a)
		i := slices.IndexFunc(lines, func(l *line) bool { return l.op == a.Op && l.kind == a.Kind && slices.Equal(l.why, why) })
		if i < 0 {
			i = len(lines)
			lines = append(lines, &line{op: a.Op, kind: a.Kind, why: why})
		}
		lines[i].names = append(lines[i].names, shortName(p.Unit, a.Name))
	}
	var out []string
	for _, l := range lines {
		text := fmt.Sprintf("%s %-14s %s", l.op, l.kind, listed(l.names))
		switch {
		case len(l.why) == 1 && len(l.why[0])+len(text) <= 140:
			out = append(out, text+"  ("+l.why[0]+")")
		default:
			out = append(out, text)
			for _, why := range l.why {
				out = append(out, "    "+why)
			}
		}
	}
	if same > 0 {
		out = append(out, fmt.Sprintf("= %d more %s as %s should be", same, isAre(same), itThey(same)))
	}
	return out
}

func isAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

func itThey(n int) string {
	if n == 1 {
		return "it"
	}
	return "they"
}

// listed names some of many.
func listed(names []string) string {
	if len(names) <= few+1 {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:few], ", "), len(names)-few)
}

// shortName is a resource's name without that of the unit.
func shortName(u deploy.Unit, name string) string { return strings.ReplaceAll(name, u.Name(""), "") }

var specs = regexp.MustCompile(`^spec \S* ?-> \S+$`)

// reasons are those of an action in the words of people. Digests are for machines.
func reasons(u deploy.Unit, a deploy.Action) []string {
	var why []string
	for _, text := range a.Why {
		if specs.MatchString(text) {
			text = "its code, bindings or settings are to be others"
		}
		why = append(why, shortName(u, text))
	}
	return why
}

// printPlans writes plans for people. Pools whose plans read the same are shown together.
func printPlans(w io.Writer, plans []*deploy.Plan, all bool) {
	type group struct {
		first *deploy.Plan
		units []string
		lines []string
	}
	var groups []*group
	for _, p := range plans {
		lines := planLines(p)
		if all {
			lines = nil
			for _, a := range p.Actions {
				lines = append(lines, a.String())
			}
		}
		for _, warning := range p.Warnings {
			lines = append(lines, "warning: "+warning)
		}
		i := slices.IndexFunc(groups, func(g *group) bool { return slices.Equal(g.lines, lines) && g.first.Live == p.Live })
		if i < 0 {
			i = len(groups)
			groups = append(groups, &group{first: p, lines: lines})
		}
		groups[i].units = append(groups[i].units, p.Unit.Pool)
	}
	for _, g := range groups {
		fmt.Fprintf(w, "%s in %s, %s\n", listed(g.units), g.first.Unit.Env, liveNow(g.first))
		for _, line := range g.lines {
			fmt.Fprintf(w, "  %s\n", line)
		}
	}
}

func liveNow(p *deploy.Plan) string {
	if p.Live == "" {
		return "never deployed"
	}
	return "live: " + p.Live
}

// counts are a plan in a few characters: 3+ 2~ 1!
func counts(p *deploy.Plan) string {
	if p == nil {
		return "-"
	}
	var parts []string
	for _, op := range []deploy.Op{deploy.Create, deploy.Update, deploy.Drift, deploy.Destroy, deploy.Refuse} {
		if n := p.Count(op); n > 0 {
			parts = append(parts, fmt.Sprintf("%d%s", n, op))
		}
	}
	if len(parts) == 0 {
		return "="
	}
	return strings.Join(parts, " ")
}
