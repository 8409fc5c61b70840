package book

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/job"
	"levada.dev/workflows/speech"
)

// Claim implements speech.Booth.
func (b *Book) Claim(tx rows.Tx, s tenants.Scope, id string) (speech.Claim, error) {
	return b.claim(tx, s, id, "")
}

// TakeOver implements speech.Booth.
func (b *Book) TakeOver(tx rows.Tx, s tenants.Scope, id, by string) (speech.Claim, error) {
	if by == "" || len(by) > maxID {
		return speech.Claim{}, fault.Invalidf("by", speech.CodeInvalid, "%.80q cannot name who listens", by)
	}
	return b.claim(tx, s, id, by)
}

// ClaimDead implements speech.Closer.
func (b *Book) ClaimDead(tx rows.Tx, s tenants.Scope, id string, try int) (speech.Ticket, error) {
	t, err := findTake(tx, id)
	if err != nil {
		return speech.Ticket{}, err
	}
	if t != nil && t.Try > try {
		return speech.Ticket{}, speech.ErrOver(id)
	}
	c, err := b.claim(tx, s, id, "")
	return c.Ticket, err
}

// claim makes a take the caller's, who speaks it directly for somebody, or for nobody. As long as there is news, it is left to whoever speaks it directly
// by everybody, and to whoever makes it by those who would speak directly.
func (b *Book) claim(tx rows.Tx, s tenants.Scope, id, by string) (speech.Claim, error) {
	t, err := findTake(tx, id)
	if err != nil {
		return speech.Claim{}, err
	}
	if t == nil || t.State != making { // one that waits is told when it is its turn
		return speech.Claim{}, speech.ErrOver(id)
	}
	c := b.begin(tx, s)
	if t.Direct != by {
		tape, err := tapeOf(tx, t)
		if err != nil {
			return speech.Claim{}, err
		}
		if rest := max(t.News, tape.News) + speech.DirectLease.Milliseconds() - c.now; rest > 0 {
			return speech.Claim{}, fault.Unavailablef(nil, speech.CodeBusy, "there is news of the take %s: somebody makes it", id).
				WithHint("claim it again later").WithRetryAfter(time.Duration(rest) * time.Millisecond)
		}
	}
	claim, err := c.claim(t, by)
	if err != nil || by == "" {
		return claim, err
	}
	return claim, errors.Join(c.admit(), c.close()) // whose turn it was, if it was anybody's
}

// claim makes a take the caller's; direct is the job for which it is spoken directly, if it is.
func (c *change) claim(t *take, direct string) (speech.Claim, error) {
	t.Claim++
	t.Direct, t.News = direct, c.now
	if err := c.write(t); err != nil {
		return speech.Claim{}, err
	}
	text, err := c.tx.Get(textPrefix + t.id())
	if err != nil {
		return speech.Claim{}, fmt.Errorf("speech: get: %w", err)
	}
	tape, err := tapeOf(c.tx, t)
	if err != nil {
		return speech.Claim{}, err
	}
	all, err := cuts(c.tx, t)
	o := t.Order
	o.Text = string(text)
	return speech.Claim{Ticket: speech.Ticket{Take: t.id(), Claim: t.Claim}, Order: o, Cuts: all, Tape: tape.Tape, Cause: t.Cause, Direct: direct}, err
}

// claimed is the take of a ticket that is valid.
func claimed(tx rows.Tx, k speech.Ticket) (*take, error) {
	t, err := findTake(tx, k.Take)
	if err != nil {
		return nil, err
	}
	if t == nil || t.State != making || t.Claim != k.Claim {
		return nil, speech.ErrOver(k.Take)
	}
	return t, nil
}

// errDiffers refuses parts that do not go with those that are there.
func errDiffers(what string) error {
	return fault.New(fault.Conflict, speech.CodeDiffers, "the take was begun with another "+what, nil).WithHint("claim it again, and go on as its tape has begun")
}

// Add implements speech.Booth.
func (b *Book) Add(tx rows.Tx, _ tenants.Scope, k speech.Ticket, more speech.Tape) error {
	t, err := claimed(tx, k)
	if err != nil {
		return err
	}
	if len(more.Parts) == 0 {
		t.News = b.now().UnixMilli()
		return rows.Write(tx, t.key(), t)
	}
	row, err := tapeOf(tx, t)
	if err != nil {
		return err
	}
	if more.Model == "" || more.Voice == "" || more.Format == "" {
		return fault.Invalidf("tape", speech.CodePart, "model, voice and format are required")
	}
	all, err := cuts(tx, t)
	if err != nil {
		return err
	}
	added := false
	for _, p := range more.Parts {
		if p.Index < 0 || p.Index >= len(all) || p.Name == "" || p.Bytes < 1 || p.Duration < 0 || p.Nanos < 0 || p.Chars < 0 {
			return fault.Invalidf("parts", speech.CodePart, "%+v is no part of this take", p)
		}
		i, there := slices.BinarySearchFunc(row.Tape.Parts, p.Index, func(p speech.Part, index int) int { return p.Index - index })
		if there { // whoever says so again may have had it spoken again, by another
			continue
		}
		if err := goesWith(&row.Tape, more); err != nil {
			return err
		}
		row.Tape.Parts = slices.Insert(row.Tape.Parts, i, p)
		row.Spoken += all[p.Index].Chars
		row.Cost.Characters += p.Chars
		row.Cost.Nanos += p.Nanos
		added = true
	}
	if !added {
		return nil
	}
	row.News = b.now().UnixMilli()
	return rows.Write(tx, tapePrefix+t.id(), row)
}

// goesWith checks what comes against what is there, or takes over what it says when nothing is.
func goesWith(tape *speech.Tape, more speech.Tape) error {
	switch {
	case more.Reel != "" && more.Reel != tape.Reel:
		return errDiffers("reel")
	case tape.Format == "":
		tape.Model, tape.Voice, tape.Format, tape.Rate, tape.Channels = more.Model, more.Voice, more.Format, more.Rate, more.Channels
	case more.Model != tape.Model || more.Voice != tape.Voice:
		return errDiffers("voice")
	case more.Format != tape.Format || more.Rate != tape.Rate || more.Channels != tape.Channels:
		return errDiffers("format")
	}
	return nil
}

// End implements speech.Booth.
func (b *Book) End(tx rows.Tx, s tenants.Scope, k speech.Ticket, why *job.Problem) error {
	t, err := claimed(tx, k)
	if err != nil {
		return b.endedSo(tx, k, why, err)
	}
	c := b.begin(tx, s)
	if err := c.end(t, why); err != nil {
		return err
	}
	return c.close()
}

// Release implements speech.Booth.
func (b *Book) Release(tx rows.Tx, s tenants.Scope, k speech.Ticket, why *job.Problem) error {
	t, err := claimed(tx, k)
	if err != nil {
		return b.endedSo(tx, k, why, err)
	}
	if why == nil {
		return fault.Invalidf("why", speech.CodeInvalid, "a reason is required")
	}
	c := b.begin(tx, s)
	jobs, err := c.members(t)
	if err != nil {
		return err
	}
	if len(jobs) > 1 {
		err = c.anew(t)
	} else {
		err = c.end(t, why)
	}
	if err != nil {
		return err
	}
	return c.close()
}

// endedSo lets pass what was said before: the take has ended by this ticket, and the same way.
func (b *Book) endedSo(tx rows.Tx, k speech.Ticket, why *job.Problem, over error) error {
	if fault.As(over).Code != speech.CodeOver {
		return over
	}
	t, err := findTake(tx, k.Take)
	if err != nil {
		return err
	}
	if t == nil || t.Claim != k.Claim {
		return over
	}
	said := t.State == succeeded && why == nil || t.State == failed && why != nil
	if t.State == failed && why == nil { // but there is no file of it
		tape, err := tapeOf(tx, t)
		if err != nil {
			return err
		}
		said = tape.Tape.Whole() && unfit(tape.Tape) != nil
	}
	if said {
		return nil
	}
	return over
}

// maxMessage is how much is kept of what went wrong, in bytes.
const maxMessage = 500

// unfit is why there can be no file of a whole tape; nil when there can.
func unfit(tape speech.Tape) *job.Problem {
	_, err := tape.Header()
	if err == nil {
		return nil
	}
	return speech.Problem(err)
}

// end ends a take that is not over, well when there is no reason why not, and tells the jobs that wait for it.
func (c *change) end(t *take, why *job.Problem) error {
	tape, err := tapeOf(c.tx, t)
	if err != nil {
		return err
	}
	if why == nil && !tape.Tape.Whole() {
		return fault.New(fault.Conflict, speech.CodeIncomplete, fmt.Sprintf("%d of %d parts are there", len(tape.Tape.Parts), t.Cuts), nil).WithHint("claim the take and speak the rest")
	}
	if why == nil {
		why = unfit(tape.Tape)
	}
	jobs, err := c.members(t)
	if err != nil {
		return err
	}
	if err := c.leave(t); err != nil {
		return err
	}
	t.Ended, t.Direct, t.Spoken, t.Cost = c.now, "", tape.Spoken, tape.Cost
	t.Due = c.now + t.Keep
	if why == nil {
		t.State, t.Spoken = succeeded, t.Chars
		err = c.done(t, tape, tape.Cost.Nanos, t.Cause, jobs)
	} else {
		p := *why
		if speech.Inner(p.Code) { // of a message that could not be handled, say
			p = *speech.Problem(nil)
		}
		p.Code = cmp.Or(p.Code, "internal")
		p.Message, p.At = clip(p.Message), c.at.UTC().Truncate(time.Millisecond)
		t.State, t.Error = failed, &p
		err = c.lost(t, jobs)
	}
	return errors.Join(err, c.remove(textPrefix+t.id()), c.put(t.garbage()), c.write(t), c.admit())
}

// members are the jobs of a take that is not over, as far as they were not cancelled.
func (c *change) members(t *take) (jobs []string, err error) {
	prefix := memberKey(t.id(), "")
	found, err := c.tx.Scan(prefix, speech.MaxShared)
	if err != nil {
		return nil, fmt.Errorf("speech: scan: %w", err)
	}
	for _, row := range found {
		jobs = append(jobs, row.Key[len(prefix):])
	}
	return jobs, nil
}
