package cli

import (
	"fmt"
	"slices"
	"strings"

	"levada.dev/infra/deploy"
	"levada.dev/infra/deploy/fleet"
)

// sure asks whether what was shown is to be done, and has the names typed of what goes with its data.
func (o *deployOptions) sure(outcomes []*fleet.Outcome) error {
	for _, out := range outcomes {
		if out.State != fleet.Pending {
			continue
		}
		for _, a := range out.Plan.Actions {
			if a.Op != deploy.Destroy || slices.Contains(o.Confirm, a.Name) {
				continue
			}
			answer, err := o.questions.ask(fmt.Sprintf("%s %s goes with all its data, for ever. Type its name to destroy it", a.Kind, a.Name), "", nil)
			if err != nil {
				return err
			}
			if answer != a.Name {
				return exitError{exitRefused, fmt.Errorf("%q is not its name: nothing was deployed", answer)}
			}
		}
	}
	if o.Yes {
		return nil
	}
	return o.agree(fmt.Sprintf("Deploy %s in %s?", plural(pending(outcomes), "pool"), o.Env))
}

// agree asks a question that is to be answered with yes.
func (o *poolsOptions) agree(question string) error {
	if o.questions == nil {
		return usagef("nobody is there to be asked, and nothing was done: say --yes")
	}
	answer, err := o.questions.ask(question+" [y/N]", "n", nil)
	if err != nil {
		return err
	}
	if a := strings.ToLower(answer); a != "y" && a != "yes" {
		return exitError{exitRefused, fmt.Errorf("not agreed to: nothing was done")}
	}
	return nil
}

// pending is how many pools there is something to do for.
func pending(outcomes []*fleet.Outcome) int {
	n := 0
	for _, o := range outcomes {
		if o.State == fleet.Pending {
			n++
		}
	}
	return n
}
