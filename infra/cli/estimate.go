package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"levada.dev/events/fault"
	"levada.dev/infra/client"
)

// foresight is how commands say what bulk work would cost before they begin it.
type foresight struct {
	Estimate bool // say it, and do nothing
	Yes      bool // do not ask

	questions *asker // nil when nobody is there
}

// errNotWanted ends a command that somebody has said no to.
var errNotWanted = exitError{exitRefused, errors.New("not agreed to: nothing was done")}

// foresee asks what work would cost and prints it: what is expected and at most, what is left of the budgets, and how it was worked out.
func (v view) foresee(ctx context.Context, c *client.Client, w client.Work, notes ...string) error {
	e, err := c.Estimate(ctx, w)
	if err != nil {
		return err
	}
	if v.JSON {
		return printJSON(v.Stdout, e)
	}
	t := newTable("", column{name: "expected", right: true}, column{name: "at most", right: true})
	t.add("calls of models", e.Calls, e.Most.Calls)
	if e.Most.Tokens > 0 {
		t.add("tokens", e.Tokens, e.Most.Tokens)
	}
	if e.Most.Chars > 0 {
		t.add("characters", e.Chars, e.Most.Chars)
	}
	t.add("neurons", fmt.Sprintf("%.2f", e.Neurons), fmt.Sprintf("%.2f", e.Most.Neurons))
	t.add("cost", client.Dollars(e.Nanos), client.Dollars(e.Most.Nanos))
	t.draw(v.Stdout)
	v.rooms(e)
	fmt.Fprintf(v.Stdout, "by %s, prices of %s\n", e.Model, e.Prices)
	for _, line := range append(e.Basis, notes...) {
		fmt.Fprintf(v.Stdout, "- %s\n", line)
	}
	return nil
}

// rooms says of each budget what is left, and whether the work fits.
func (v view) rooms(e client.Estimate) {
	for _, b := range e.Budgets {
		fmt.Fprintf(v.Stdout, "%s left this %s: %s\n", amountOf(b.Unit, b.Left), b.Period, verdict(b.Fits))
	}
}

// notForThisKey is why a key may not know what work costs; a platform that is older knows no estimates.
func notForThisKey(err error) (string, bool) {
	var refused *client.Error
	if errors.As(err, &refused) && (refused.Fault.Kind == fault.Denied || refused.Fault.Kind == fault.NotFound) {
		return refused.Fault.Message, true
	}
	return "", false
}

func verdict(fits string) string {
	switch fits {
	case "yes":
		return "it fits"
	case "perhaps":
		return "it fits as expected, not at most"
	}
	return "it does not fit"
}

// amountOf is an amount of a budget's unit, for people.
func amountOf(unit string, n int64) string {
	if unit == "nanoUSD" {
		return client.Dollars(n)
	}
	return fmt.Sprintf("%d %s", n, unit)
}

// forecast is an estimate in a line: what it costs, and the budgets that are short.
func forecast(e client.Estimate) string {
	took := count(int(e.Tokens), "token")
	if e.Most.Chars > 0 {
		took = count(int(e.Chars), "character")
	}
	line := fmt.Sprintf("about %s, %.0f neurons, %s (at most %s)", took, e.Neurons, client.Dollars(e.Nanos), client.Dollars(e.Most.Nanos))
	var left []string
	for _, b := range e.Budgets {
		if b.Fits != "yes" {
			left = append(left, fmt.Sprintf("%s left this %s, %s", amountOf(b.Unit, b.Left), b.Period, verdict(b.Fits)))
		}
	}
	if len(left) == 0 {
		return line + "; the budgets have room for it"
	}
	return line + "; " + strings.Join(left, "; ")
}

// agree says in a line what work would cost, and asks whoever is there whether it is to be done. A key that may not know is told so, and the work
// is begun.
func (f foresight) agree(ctx context.Context, out io.Writer, c *client.Client, what string, w client.Work) error {
	e, err := c.Estimate(ctx, w)
	if why, unknown := notForThisKey(err); unknown {
		fmt.Fprintf(out, "%s: what it costs is not known: %s\n", what, why)
		return nil
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s: %s\n", what, forecast(e))
	if f.Yes || f.questions == nil {
		return nil
	}
	answer, err := f.questions.ask("Begin? yes or no", "y", nil)
	if err != nil {
		return err
	}
	if a := strings.ToLower(answer); a != "y" && a != "yes" {
		return errNotWanted
	}
	return nil
}
