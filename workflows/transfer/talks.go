package transfer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"levada.dev/events/fault"
	"levada.dev/workflows/chat"
	"levada.dev/workflows/flow"
	"levada.dev/workflows/imports"
	"levada.dev/workflows/job"
)

// said is how far a walk through the lists of conversations has come.
type said struct {
	Next     string        `json:"next,omitempty"`  // the source's cursor
	After    string        `json:"after,omitempty"` // the last session that was compared
	Done     bool          `json:"done,omitempty"`
	Report   job.Talks     `json:"report"`
	Gone     int           `json:"gone,omitempty"` // came from the source, and are not there any more
	Failed   int           `json:"failed,omitempty"`
	Problems []job.Problem `json:"problems,omitempty"`
	Over     bool          `json:"over,omitempty"` // the job has ended
}

// differs reports whether a walk has found anything to do.
func (at said) differs() bool { return at.Report.Same < at.Report.Found-at.Failed || at.Gone > 0 }

const (
	// stepTalks is how many sessions a step compares, and stepFetched how many it fetches, until the page that exceeds it.
	stepTalks, stepFetched = 2000, 200
	// talkSteps is how many steps all walks of a run make, and talkLooks how many walks a last run, half an hour.
	talkSteps, talkLooks = 2000, 60
)

// talks brings the conversations. A last run goes through both lists until nothing differs: who was let in before the source stood still is
// waited for, and so is a turn that is running.
func (x *bringing) talks(ctx context.Context) error {
	x.note.Stage = Talking
	if x.order.Last {
		if err := x.run.Sleep(ctx, "still", x.Settle); err != nil {
			return err
		}
	}
	var done job.Talks
	for n, steps := 0, 0; ; n++ {
		at, err := x.talk(ctx, n, &steps, done)
		done.Brought, done.Deleted = at.Report.Brought, at.Report.Deleted
		switch {
		case err != nil:
			return err
		case !x.order.Last || !at.differs() && at.Failed == 0:
			x.problems(at)
			return nil
		case !at.differs() || n == talkLooks:
			x.problems(at)
			return fault.New(fault.Conflict, "transfer_incomplete", fmt.Sprintf("%d of %d conversations are not here as they are at the source",
				at.Report.Found-at.Report.Same+at.Gone, at.Report.Found), nil)
		}
		if err := x.run.Sleep(ctx, fmt.Sprintf("talking %d", n), pause(n)); err != nil {
			return err
		}
	}
}

// problems has the job name what cannot be brought.
func (x *bringing) problems(at said) {
	ps := x.note.Problems
	x.note.Problems = append(ps, at.Problems[:min(len(at.Problems), imports.MaxProblems-len(ps))]...)
	x.note.Counts.Failed += at.Failed
}

// talk walks through both lists once, and then deletes here what is gone at the source. As with documents, nothing is deleted where most is gone.
func (x *bringing) talk(ctx context.Context, n int, steps *int, done job.Talks) (at said, err error) {
	at.Report = job.Talks{Brought: done.Brought, Deleted: done.Deleted}
	if at, err = x.converse(ctx, fmt.Sprintf("talk %d", n), steps, at, x.bringTalks); err != nil || at.Gone == 0 {
		return at, err
	}
	if at.Gone > max(at.Report.Found, fewGone) {
		return at, fault.New(fault.Conflict, "source_shrunk", fmt.Sprintf(
			"%d conversations came from the source, and it has %d others: is it the right one, was it erased? Nothing was deleted", at.Gone, at.Report.Found), nil)
	}
	dropped, err := x.converse(ctx, fmt.Sprintf("drop %d", n), steps, said{Report: at.Report}, x.dropTalks)
	at.Report = dropped.Report
	return at, err
}

// converse does a step over and over, to the end of both lists.
func (x *bringing) converse(ctx context.Context, name string, steps *int, at said, do eachTalk) (_ said, err error) {
	for n := 0; !at.Done; n++ {
		if *steps++; *steps > talkSteps {
			return at, fault.New(fault.Conflict, "transfer_too_long", "so many conversations are not brought by one run; the next one goes on", nil)
		}
		from := at
		at, err = flow.Insist(ctx, x.run, fmt.Sprintf("%s.%d", name, n), func(ctx context.Context) (said, error) {
			at := from
			at.Problems = append([]job.Problem(nil), from.Problems...)
			if err := x.talkPages(ctx, &at, do); err != nil {
				return at, err
			}
			x.tellOfTalks(at)
			j, err := x.Ledger.NoteTransfer(ctx, x.scope, x.note)
			at.Over = j.State.Final()
			return at, err
		})
		if err != nil {
			return at, err
		}
		x.tellOfTalks(at)
		if at.Over {
			return at, errOver
		}
	}
	return at, nil
}

func (x *bringing) tellOfTalks(at said) {
	r := at.Report
	x.note.Report.Talks = &r
}

// eachTalk is what is done with the sessions of two pages; fetched is how many were asked for.
type eachTalk func(ctx context.Context, far *Far, at *said, source, here []chat.Place) (fetched int, err error)

// talkPages goes through pages of both lists, until there is enough for a step.
func (x *bringing) talkPages(ctx context.Context, at *said, do eachTalk) error {
	if err := x.room.Acquire(ctx, 1); err != nil {
		return fault.Unavailablef(err, "memory_busy", "there was no room for it")
	}
	defer x.room.Release(1)
	far, err := x.far(ctx)
	if err != nil {
		return err
	}
	for looked, fetched := 0, 0; !at.Done && looked < stepTalks && fetched < stepFetched; looked += FarPage {
		source, next, err := far.Sessions(ctx, at.Next)
		if err != nil {
			return err
		}
		if at.Next, at.Done = next, next == ""; len(source) == 0 && !at.Done {
			continue
		}
		upTo := ""
		if !at.Done {
			upTo = source[len(source)-1].SessionID
		}
		here, err := x.placesHere(ctx, at.After, upTo)
		if err != nil {
			return err
		}
		at.After = upTo
		n, err := do(ctx, far, at, source, here)
		if err != nil {
			return err
		}
		fetched += n
	}
	return nil
}

// placesHere are the sessions of this pool after one, up to another.
func (x *bringing) placesHere(ctx context.Context, after, upTo string) (places []chat.Place, err error) {
	for {
		page, err := x.Shelf.Places(ctx, x.scope, after, upTo, chat.MaxPlaces)
		if err != nil {
			return nil, fmt.Errorf("list the conversations here: %w", err)
		}
		if places = append(places, page.Places...); !page.More {
			return places, nil
		}
		after = page.Next
	}
}

// bringTalks fetches what differs.
func (x *bringing) bringTalks(ctx context.Context, far *Far, at *said, source, here []chat.Place) (fetched int, err error) {
	beside := byID(here)
	var wanted []chat.Wanted
	for _, p := range source {
		at.Report.Found++
		sum := sha256.Sum256(fmt.Appendf(nil, "%s%s %d", at.Report.Digest, p.SessionID, p.Version))
		at.Report.Digest = hex.EncodeToString(sum[:])
		mine, there := beside[p.SessionID]
		delete(beside, p.SessionID)
		switch {
		case there && mine.Came == p.Version:
			at.Report.Same++
		case there && !mine.Moved():
			at.problem(p.SessionID, "session_taken", "it has gone on here, otherwise than at the source; delete it in one of both places")
		case there:
			wanted = append(wanted, chat.Wanted{SessionID: p.SessionID, From: mine.Last + 1})
		default:
			wanted = append(wanted, chat.Wanted{SessionID: p.SessionID})
		}
	}
	for _, p := range beside {
		if p.Moved() {
			at.Gone++
		}
	}
	return len(wanted), x.fetchTalks(ctx, far, at, wanted)
}

func (at *said) problem(session, code, why string) {
	at.Failed++
	if len(at.Problems) < imports.MaxProblems {
		at.Problems = append(at.Problems, job.Problem{Stage: Talking, Code: code, Message: fmt.Sprintf("session %s: %s", session, why)})
	}
}

// begunAnew is how often a session is begun anew while it is fetched, before that is left to another run.
const begunAnew = 3

// fetchTalks fetches sessions, part by part. One that is gone meanwhile is left out.
func (x *bringing) fetchTalks(ctx context.Context, far *Far, at *said, wanted []chat.Wanted) error {
	anew := map[string]int{}
	for len(wanted) > 0 {
		parcels, taken, err := far.Parcels(ctx, wanted[:min(len(wanted), chat.MaxWanted)])
		if err != nil {
			return err
		}
		asked := map[string]bool{}
		for _, w := range wanted[:taken] {
			asked[w.SessionID] = true
		}
		var rest []chat.Wanted
		for _, p := range parcels {
			if !asked[p.SessionID] {
				return errTorn("it has a session that nobody asked for", nil)
			}
			next, err := x.takeTalk(ctx, p)
			switch why := fault.As(err); {
			case err != nil && why.Code == "session_torn" && anew[p.SessionID] < begunAnew, err == nil && next != p.Last+1:
				if anew[p.SessionID]++; anew[p.SessionID] <= begunAnew {
					rest = append(rest, chat.Wanted{SessionID: p.SessionID, From: next})
				}
			case err != nil && (why.Kind == fault.Invalid || why.Code == "session_taken" || why.Code == "session_torn"):
				at.problem(p.SessionID, why.Code, why.Message)
			case err != nil:
				return fmt.Errorf("conversation %s: %w", p.SessionID, err)
			case p.More:
				rest = append(rest, chat.Wanted{SessionID: p.SessionID, From: next})
			case p.Whole:
				at.Report.Brought++
			default:
				at.Report.Talking++
			}
		}
		wanted = append(rest, wanted[taken:]...)
	}
	return nil
}

// takeTalk puts a part of a session here. Where it is not what its digest says the session is begun anew.
func (x *bringing) takeTalk(ctx context.Context, p chat.Parcel) (next int, err error) {
	if next, err = x.Parcels.Take(ctx, x.scope, p); fault.As(err).Code == "session_torn" {
		if err := x.Parcels.Drop(ctx, x.scope, p.SessionID); err != nil {
			return 0, err
		}
		return 0, err
	}
	return next, err
}

// dropTalks deletes here what is gone at the source.
func (x *bringing) dropTalks(ctx context.Context, _ *Far, at *said, source, here []chat.Place) (int, error) {
	beside := byID(here)
	for _, p := range source {
		delete(beside, p.SessionID)
	}
	for _, p := range beside {
		if !p.Moved() {
			continue
		}
		if err := x.Parcels.Drop(ctx, x.scope, p.SessionID); err != nil {
			return 0, fmt.Errorf("conversation %s: %w", p.SessionID, err)
		}
		at.Report.Deleted++
	}
	return 0, nil
}

func byID(places []chat.Place) map[string]chat.Place {
	m := make(map[string]chat.Place, len(places))
	for _, p := range places {
		m[p.SessionID] = p
	}
	return m
}
