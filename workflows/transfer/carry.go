package transfer

import (
	"context"

	"levada.dev/tenants/quota"
	"levada.dev/workflows/flow"
	"levada.dev/workflows/job"
)

// carry has the account here say what was used of this month's budgets at the source, all of it each time: so it may run again, and once more when nobody
// uses the source any more.
func (x *bringing) carry(ctx context.Context) error {
	x.note.Stage = Counting
	used, err := flow.Insist(ctx, x.run, "carry", func(ctx context.Context) (job.Cost, error) {
		far, err := x.far(ctx)
		if err != nil {
			return job.Cost{}, err
		}
		from, lines, err := far.Usage(ctx)
		if err != nil {
			return job.Cost{}, err
		}
		return total(lines), x.Account.Carry(ctx, x.scope, from, lines)
	})
	if err == nil {
		x.note.Report.Used = &used
	}
	return err
}

// total is what lines took in all.
func total(lines []quota.Line) (sum job.Cost) {
	for _, l := range lines {
		used := l.Amount()
		sum.Tokens, sum.Chars, sum.Nanos = sum.Tokens+used.Tokens, sum.Chars+used.Chars, sum.Nanos+used.Nanos
	}
	return sum
}
