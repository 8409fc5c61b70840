package cli

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
	"unicode"

	"levada.dev/infra/logbook"
)

// lines prints lines of the log: of the past the newest, and then all that come.
type lines struct {
	w            io.Writer
	json, colour bool
	keep         int  // of the past; 0 for all
	past         bool // until it has been read
	held         []logbook.Line
	told         int
}

func (p *lines) tell(l logbook.Line) error {
	if !p.past || p.keep == 0 {
		return p.print(l)
	}
	if p.held = append(p.held, l); len(p.held) >= 2*p.keep { // copied once for each that is shown, at most
		p.held = append(p.held[:0:0], p.held[len(p.held)-p.keep:]...)
	}
	return nil
}

// caughtUp prints what is to be seen of the past.
func (p *lines) caughtUp() error {
	p.past = false
	for _, l := range p.held[max(0, len(p.held)-p.keep):] {
		if err := p.print(l); err != nil {
			return err
		}
	}
	p.held = nil
	return nil
}

func (p *lines) print(l logbook.Line) error {
	p.told++
	text := string(l.Raw)
	if !p.json {
		text = p.readable(l)
	}
	_, err := fmt.Fprintln(p.w, text)
	return err
}

// The colours, as terminals know them.
const (
	red, green, yellow, grey = "31", "32", "33", "90"
)

func (p *lines) paint(colour, text string) string {
	if !p.colour || text == "" {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

// readable is a line for people: when, how bad, who, for whom, what came of it, what it was, what it took, and its trace.
func (p *lines) readable(l logbook.Line) string {
	if l.NotALine {
		return p.paint(red, printable(string(l.Raw)))
	}
	bad := grey
	switch {
	case l.Level >= slog.LevelError:
		bad = red
	case l.Level >= slog.LevelWarn:
		bad = yellow
	}
	parts := []string{
		p.paint(grey, l.Time.Format("15:04:05.000")), p.paint(bad, fmt.Sprintf("%-5s", l.Level)),
		fmt.Sprintf("%-9s", printable(l.Worker)), fmt.Sprintf("%-8s", printable(l.Tenant)),
	}
	if l.Outcome != "" {
		parts = append(parts, p.ended(l))
	}
	parts = append(parts, printable(whatWas(l)))
	for _, more := range append(spent(l), l.Code) {
		if more != "" {
			parts = append(parts, printable(more))
		}
	}
	if l.Error != "" {
		parts = append(parts, p.paint(bad, printable(l.Error)))
	}
	if l.Trace != "" {
		parts = append(parts, p.paint(grey, "trace "+printable(l.Trace)))
	}
	return strings.Join(parts, "  ")
}

// ended is how it ended, and after which time.
func (p *lines) ended(l logbook.Line) string {
	text := l.Outcome
	if l.Status != 0 {
		text = fmt.Sprintf("%d %s", l.Status, l.Outcome)
	}
	colour := map[string]string{"ok": green, "failed": red}[l.Outcome]
	if colour == "" {
		colour = yellow
	}
	text = p.paint(colour, fmt.Sprintf("%-11s", printable(text)))
	if l.Latency != nil {
		text += fmt.Sprintf("  %8.1f ms", *l.Latency)
	}
	return text
}

// whatWas is what a line is about: "POST /chat", "model call @cf/a/b for chat".
func whatWas(l logbook.Line) string {
	switch {
	case l.Route != "":
		return strings.TrimSpace(l.Method + " " + l.Route)
	case l.Handler != "":
		return fmt.Sprintf("%s handled %s of %s", l.Handler, count(l.Events, "event"), l.Type)
	case l.Step != "":
		return strings.TrimSpace(l.Flow + " " + l.Step)
	case l.Model != "":
		return strings.TrimSuffix(fmt.Sprintf("%s %s for %s", l.Message, l.Model, l.Purpose), " for ")
	case l.Tool != "":
		return l.Message + " " + l.Tool
	}
	return l.Message
}

// spent is what it took beside the time, as far as it is known.
func spent(l logbook.Line) (all []string) {
	if l.Failed > 0 {
		all = append(all, fmt.Sprintf("%d failed", l.Failed))
	}
	if l.Attempt > 1 {
		all = append(all, fmt.Sprintf("attempt %d", l.Attempt))
	}
	if l.Tokens > 0 {
		all = append(all, count(int(l.Tokens), "token"))
	}
	if l.Characters > 0 {
		all = append(all, count(int(l.Characters), "character"))
	}
	if l.Cost != "" {
		all = append(all, "$"+l.Cost)
	}
	if l.Cache != "" {
		all = append(all, "cache "+l.Cache)
	}
	return all
}

// printable is a text that does nothing to a terminal, and stays in its line.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, text)
}
