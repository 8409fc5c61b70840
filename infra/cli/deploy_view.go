package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"

	"levada.dev/events/fault"
	"levada.dev/infra/deploy"
	"levada.dev/infra/deploy/fleet"
	"levada.dev/infra/deploy/target"
	"levada.dev/tenants"
)

// fleetView is what deploy, plan, drift and rollback print for machines.
type fleetView struct {
	Command  string           `json:"command"`
	Env      string           `json:"env"`
	Release  string           `json:"release,omitempty"` // that is deployed
	DryRun   bool             `json:"dryRun,omitempty"`
	Pools    []poolView       `json:"pools"`
	Problems tenants.Problems `json:"problems,omitempty"` // of the configuration: nothing was asked of an account
	ExitCode int              `json:"exitCode"`
}

// poolView is one pool.
type poolView struct {
	Pool     string       `json:"pool"`
	Account  string       `json:"account"`
	Tenants  []string     `json:"tenants"`
	Result   fleet.State  `json:"result"`
	Release  string       `json:"release,omitempty"` // that is live in the end
	Wave     int          `json:"wave,omitempty"`    // from 1
	Workers  workersView  `json:"workers"`
	Seconds  float64      `json:"seconds"`
	Error    *errorView   `json:"error,omitempty"`
	Plan     *deploy.Plan `json:"plan,omitempty"`
	Steps    []string     `json:"steps,omitempty"`  // of the deployment
	Stays    []string     `json:"stays,omitempty"`  // what a rollback does not take back
	Access   []string     `json:"access,omitempty"` // who can work with it after a rollback, and who no more
	detailed string
}

// workersView is how many Workers are as planned.
type workersView struct {
	Done  int `json:"done"`
	Total int `json:"total"`
}

// errorView is an error: what went wrong, and what to do.
type errorView struct {
	Code    string `json:"code,omitempty"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// isFault reports whether an error is the fault of a code.
func isFault(err error, code string) bool { return err != nil && fault.As(err).Code == code }

// errorView covers what is secret before a table breaks it into lines, or JSON escapes it.
func (g *globals) errorView(err error) *errorView {
	if err == nil {
		return nil
	}
	v := &errorView{Message: g.hide(err.Error())}
	var f *fault.Error
	if errors.As(err, &f) {
		v.Code, v.Hint = f.Code, f.Hint
	}
	return v
}

// pools shows the work on pools: to whoever looks, as it goes on, and what came of it.
type pools struct {
	*poolsOptions
	targets  []target.Target
	release  string
	dry      bool
	allLines bool
	stays    []string // what a rollback does not take back
	access   []string // who can work with the pool after it, and who no more

	bar  *progressbar.ProgressBar
	done map[deploy.Unit]int
}

func newFleetView(o *poolsOptions, targets []target.Target, release string, dry bool) *pools {
	return &pools{poolsOptions: o, targets: targets, release: release, dry: dry, done: map[deploy.Unit]int{}}
}

// planning says what is being done.
func (v *pools) planning(n int) {
	fmt.Fprintf(v.stderr, "asking what %s have\n", accounts(n))
}

func accounts(n int) string {
	if n == 1 {
		return "the account and the pool"
	}
	return fmt.Sprintf("the accounts of %d pools", n)
}

// plans shows the plans, unless a machine reads them in the end.
func (v *pools) plans(outcomes []*fleet.Outcome) {
	if v.JSON {
		return
	}
	var plans []*deploy.Plan
	for _, o := range outcomes {
		if o.Plan != nil {
			plans = append(plans, o.Plan)
		}
	}
	printPlans(v.stdout, plans, v.allLines)
}

// applying begins to show how the actions are carried out: a bar where somebody looks, and else lines.
func (v *pools) applying(outcomes []*fleet.Outcome) {
	total := 0
	for _, o := range outcomes {
		if o.State == fleet.Pending {
			total += o.Plan.Changes()
		}
	}
	fmt.Fprintf(v.stderr, "release %s\n", v.release)
	if isTerminal(v.terminal) {
		v.bar = newBar(v.terminal, total, widthOf(v.terminal))
	}
}

// newBar is a bar over actions.
func newBar(w io.Writer, total, width int) *progressbar.ProgressBar {
	return progressbar.NewOptions(total,
		progressbar.OptionSetWriter(w), progressbar.OptionShowCount(), progressbar.OptionSetDescription("deploying"),
		progressbar.OptionSetWidth(min(max(width-besideBar, 1), 30)), progressbar.OptionSetElapsedTime(width > besideBar), progressbar.OptionSetPredictTime(false),
	)
}

// tell shows a step.
func (v *pools) tell(s fleet.Step) {
	if v.bar == nil {
		if s.Line != "" {
			fmt.Fprintf(v.stderr, "%s: %s\n", s.Unit.Pool, s.Line)
		}
		return
	}
	_ = v.bar.Add(s.Actions - v.done[s.Unit]) // fails where the terminal does
	v.done[s.Unit] = s.Actions
	if s.Line != "" {
		line, _, _ := strings.Cut(s.Line, "  (")
		v.bar.Describe(v.globals.hide(s.Unit.Pool + ": " + line))
	}
}

// end prints what came of it, and is the command's error.
func (v *pools) end(outcomes []*fleet.Outcome) error {
	if v.bar != nil {
		_ = v.bar.Clear()
	}
	code := exitCode(outcomes, v.dry)
	view := fleetView{Command: v.command, Env: v.Env, DryRun: v.dry, Pools: make([]poolView, len(outcomes)), ExitCode: code}
	if v.command != "drift" {
		view.Release = v.release
	}
	for i, o := range outcomes {
		view.Pools[i] = v.pool(o, v.targets[i])
		view.Pools[i].Stays, view.Pools[i].Access = v.stays, v.access
	}
	var err error
	if v.JSON {
		err = indented(v.stdout, view)
	} else {
		v.table(view.Pools)
	}
	if err != nil || code == exitOK {
		return err
	}
	return exitError{code, summary(outcomes, code)}
}

func (v *pools) pool(o *fleet.Outcome, t target.Target) poolView {
	log := make([]string, len(o.Log))
	for i, line := range o.Log {
		log[i] = v.globals.hide(line)
	}
	p := poolView{Pool: t.Pool, Account: t.Account, Tenants: t.IDs(), Result: o.State, Wave: o.Wave, Seconds: o.Took.Round(time.Millisecond).Seconds(), Error: v.globals.errorView(o.Err), Plan: o.Plan, Steps: log}
	p.Workers.Done, p.Workers.Total = o.Workers()
	p.Release = o.Live()
	p.detailed = v.globals.hide(detail(o))
	return p
}

// detail is an error in as few words as it can be told.
func detail(o *fleet.Outcome) string {
	var refused *deploy.RefusedError
	if errors.As(o.Err, &refused) {
		a := refused.Actions[0]
		text := fmt.Sprintf("%s %s: %s", a.Kind, a.Name, strings.Join(a.Why, "; "))
		if n := len(refused.Actions); n > 1 {
			text += fmt.Sprintf(" (and %d more)", n-1)
		}
		return text
	}
	if o.Err == nil {
		return ""
	}
	text := o.Err.Error()
	if hint := fault.As(o.Err).Hint; hint != "" {
		text += ": " + hint
	}
	return text
}

// table is the pools, a row each.
func (v *pools) table(all []poolView) {
	t := newTable("pool", column{name: "tenants", spare: 2, most: 30}, "plan", "result", column{name: "Workers", right: true, spare: 1}, column{name: "release", spare: 1}, column{name: "time", right: true, spare: 3},
		column{name: "detail", sparse: true, most: 80})
	for i, p := range all {
		workers := ""
		if p.Workers.Total > 0 {
			workers = fmt.Sprintf("%d/%d", p.Workers.Done, p.Workers.Total)
		}
		took := (time.Duration(p.Seconds * float64(time.Second))).Round(100 * time.Millisecond)
		t.add(v.targets[i].Pool, strings.Join(p.Tenants, " "), counts(p.Plan), v.result(p.Result), workers, p.Release, took, p.detailed)
	}
	t.draw(v.stdout)
}

// result is a state as people read it.
func (v *pools) result(s fleet.State) string {
	switch {
	case s == fleet.Pending && v.command == "drift":
		return "drifted"
	case s == fleet.Pending && !v.dry:
		return "not begun"
	case s == fleet.Skipped && v.command == "drift":
		return "not deployed"
	case s == fleet.Unchanged:
		return "no change"
	case s == fleet.Skipped:
		return "not begun"
	case s == fleet.RolledBack:
		return "rolled back"
	case s == fleet.Stuck:
		return "STUCK"
	}
	return string(s)
}

// exitCode is what became of all pools together.
func exitCode(outcomes []*fleet.Outcome, dry bool) int {
	codes := map[fleet.State]int{fleet.Stuck: exitStuck, fleet.Refused: exitRefused, fleet.RolledBack: exitRolledBack, fleet.Failed: exitFailed}
	if dry {
		codes[fleet.Pending] = exitChanges
	}
	code := exitOK
	for _, o := range outcomes {
		code = max(code, codes[o.State])
	}
	return code
}

// summary is the last line; of a plan there is none, since changes are no mistake.
func summary(outcomes []*fleet.Outcome, code int) error {
	if code == exitChanges {
		return nil
	}
	bad, skipped := 0, 0
	for _, o := range outcomes {
		if o.State.Bad() {
			bad++
		}
		if o.State == fleet.Skipped {
			skipped++
		}
	}
	text := fmt.Sprintf("%d of %s did not get there", bad, plural(len(outcomes), "pool"))
	if skipped > 0 {
		text += fmt.Sprintf(", %d not begun", skipped)
	}
	return errors.New(text)
}
