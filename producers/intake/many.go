package intake

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
)

const (
	// submitAtOnce is how many documents go in one call of the ledger: a message between Workers, of which both have all in memory.
	// Short texts travel with it.
	submitAtOnce = 100
	// storeAtOnce is how many texts are stored at a time: a Worker has six connections that wait for an answer.
	// https://developers.cloudflare.com/workers/platform/limits/#simultaneous-open-connections
	storeAtOnce = 5
)

// SubmitAll takes many drafts in, in their order, and says of each what became of it, as Submit does of one. An error is about all
// of them: some may have been taken all the same, and with idempotency keys a repetition is answered with those.
func (in *Intake) SubmitAll(ctx context.Context, s tenants.Scope, drafts []corpus.Draft) ([]corpus.Outcome, error) {
	outs := make([]corpus.Outcome, len(drafts))
	for from := 0; from < len(drafts); from += submitAtOnce {
		to := min(from+submitAtOnce, len(drafts))
		if err := in.submitSome(ctx, s, drafts[from:to], outs[from:to]); err != nil {
			return nil, err
		}
	}
	return outs, nil
}

// submitSome is SubmitAll for what goes in one call.
func (in *Intake) submitSome(ctx context.Context, s tenants.Scope, drafts []corpus.Draft, outs []corpus.Outcome) error {
	if err := s.Check(); err != nil {
		return err
	}
	prepared := make([]corpus.Submission, len(drafts))
	for i, d := range drafts { // ids are made in the drafts' order, which is theirs in the ledger
		if err := refusal(check(d), &outs[i]); err != nil {
			return err
		}
		prepared[i].DocID, prepared[i].JobID = in.names(d)
	}
	err := each(ctx, len(drafts), func(ctx context.Context, i int) (err error) {
		if outs[i].Fault == nil {
			prepared[i], err = in.store(ctx, s, drafts[i], prepared[i].DocID, prepared[i].JobID)
		}
		return refusal(err, &outs[i])
	})
	if err != nil {
		in.discard(ctx, s, prepared)
		return err
	}
	var at []int // the draft of each submission
	var subs []corpus.Submission
	for i, sub := range prepared {
		if outs[i].Fault == nil {
			at, subs = append(at, i), append(subs, sub)
		}
	}
	if len(subs) == 0 {
		return nil
	}
	taken, err := in.ledger.SubmitAll(ctx, s, subs)
	if err != nil {
		if unused(corpus.Receipt{}, "", err) {
			in.discard(ctx, s, subs)
		}
		return fmt.Errorf("submit the documents: %w", err)
	}
	var idle []corpus.Submission
	for n, out := range taken {
		outs[at[n]] = out
		if unused(out.Receipt, subs[n].JobID, asError(out.Fault)) {
			idle = append(idle, subs[n])
		}
	}
	in.discard(ctx, s, idle)
	return in.repeat(ctx, s, drafts, outs)
}

// repeat submits again what an erasure came in between.
func (in *Intake) repeat(ctx context.Context, s tenants.Scope, drafts []corpus.Draft, outs []corpus.Outcome) error {
	for i, out := range outs {
		if out.Fault == nil || out.Fault.Code != "text_erased" {
			continue
		}
		receipt, err := in.Submit(ctx, s, drafts[i])
		outs[i] = corpus.Outcome{Receipt: receipt}
		if err := refusal(err, &outs[i]); err != nil {
			return err
		}
	}
	return nil
}

// discard removes texts that nobody refers to. A failure leaves them; the answer is the same.
func (in *Intake) discard(ctx context.Context, s tenants.Scope, subs []corpus.Submission) {
	_ = each(ctx, len(subs), func(ctx context.Context, i int) error {
		if subs[i].TextKey != "" {
			_ = in.texts.Delete(ctx, s, subs[i].TextKey)
		}
		return nil
	})
}

// each calls f for 0 to n-1, a few at a time, until one fails.
func each(ctx context.Context, n int, f func(ctx context.Context, i int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(storeAtOnce)
	for i := range n {
		group.Go(func() error { return f(ctx, i) })
	}
	return group.Wait()
}

// refusal takes an error that is about one draft alone into its outcome. What is returned is about all.
func refusal(err error, out *corpus.Outcome) error {
	var f *fault.Error
	if err == nil || !errors.As(err, &f) || fault.Retryable(err) {
		return err
	}
	out.Fault = f
	return nil
}

// asError keeps a nil fault from becoming an error that is not nil.
func asError(f *fault.Error) error {
	if f == nil {
		return nil
	}
	return f
}
