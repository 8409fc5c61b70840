package deploy

import (
	"context"
	"fmt"
	"net/http"
)

// rollout gives the uploaded versions their traffic, all Workers of the release together, by the steps of the canary; each step is held
// against the gate. When it says no, or whoever deploys leaves, the versions before get all of it back.
func (r *run) rollout(ctx context.Context) error {
	jobs := r.rollouts
	r.rollouts = nil
	if len(jobs) == 0 {
		return nil
	}
	for _, percent := range append(r.steps(jobs), 100) {
		if err := r.step(ctx, jobs, percent); err != nil {
			return r.back(ctx, jobs, fmt.Errorf("at %d %%: %w", percent, err))
		}
	}
	for _, j := range jobs {
		if err := r.mark(ctx, j); err != nil {
			return r.back(ctx, jobs, err)
		}
	}
	r.moved = append(r.moved, jobs...)
	return nil
}

// steps are those before 100 %. What goes back was live already, and is not tried out.
func (r *run) steps(jobs []*job) []int {
	if jobs[0].backTo != "" {
		return nil
	}
	return append([]int(nil), r.options.Canary.Steps...)
}

func (r *run) step(ctx context.Context, jobs []*job, percent int) error {
	r.tell(fmt.Sprintf("traffic %d %%: %s", percent, counted(len(jobs), "Worker", "Workers")))
	for _, j := range jobs {
		to := []share{{j.to, float64(percent)}, {r.before(j).ID, float64(100 - percent)}}
		if percent == 100 || j.to == to[1].Version {
			to = []share{{j.to, 100}}
		}
		if err := r.deploy(ctx, j, fmt.Sprintf("%d %%", percent), to...); err != nil {
			return err
		}
	}
	c := r.check(jobs, percent)
	if percent == 100 || r.asks(c) {
		return r.ask(ctx, c)
	}
	if percent == 0 {
		r.tell("nobody is asked how it is: " + r.plan.unasked())
		return nil
	}
	r.tell(fmt.Sprintf("nobody is asked how it is: %s; watch it yourself for %s", r.plan.unasked(), c.Bake))
	return r.options.Sleep(ctx, c.Bake)
}

// deploy divides a Worker's traffic. The order of the versions stays, so that objects stay with theirs.
func (r *run) deploy(ctx context.Context, j *job, what string, to ...share) error {
	return r.account.Set(ctx, r.account.Path("workers", "scripts", j.script, "deployments"), map[string]any{
		"strategy": "percentage", "versions": to,
		"annotations": map[string]string{annotationMessage: "levada " + r.plan.Release + " " + what},
	}, nil)
}

// giveBack gives a Worker's traffic back to the version before, with what it was marked by.
func (r *run) giveBack(ctx context.Context, j *job) error {
	to := r.before(j)
	if err := r.deploy(ctx, j, "back", share{Version: to.ID, Percent: 100}); err != nil {
		return fmt.Errorf("%s: %w", j.script, err)
	}
	body := map[string]any{"tags": j.live.Tags, "observability": j.live.settings.Observability}
	if noted := &r.plan.live.manifest; noted.Workers[j.role].ID == to.ID {
		was := *j
		was.spec, was.secrets = to.Spec, to.Secrets
		body = map[string]any{"tags": r.tags(&was, to.ID), "observability": observed(noted.Stack.Observability)}
	}
	if err := r.account.Do(ctx, http.MethodPatch, r.account.Path("workers", "scripts", j.script, "script-settings"), body, nil); err != nil {
		return fmt.Errorf("%s: %w", j.script, err)
	}
	return nil
}

// back gives the traffic back to the versions before, also when ctx is done.
func (r *run) back(ctx context.Context, jobs []*job, cause error) error {
	r.moved = append(r.moved, jobs...)
	return r.undo(ctx, cause)
}
