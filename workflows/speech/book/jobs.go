package book

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/job"
	"levada.dev/workflows/speech"
)

// Job implements speech.Desk.
func (b *Book) Job(tx rows.Tx, id string) (speech.Job, error) {
	j, t, err := findJob(tx, id)
	if err != nil {
		return speech.Job{}, err
	}
	return b.told(tx, id, j, t)
}

// told is a job as its owner is told of it, with all that there is.
func (b *Book) told(tx rows.Tx, id string, j jobRow, t *take) (speech.Job, error) {
	tape, err := tapeOf(tx, t)
	if err != nil {
		return speech.Job{}, err
	}
	all, err := cuts(tx, t)
	if err != nil {
		return speech.Job{}, err
	}
	out := b.brief(id, j, t, tape)
	out.Cuts = all
	if j.Cancelled == 0 {
		out.Tape = tape.Tape
	}
	return out, nil
}

// brief is a job without what is long of it.
func (b *Book) brief(id string, j jobRow, t *take, tape tapeRow) speech.Job {
	out := speech.Job{
		ID: id, Take: j.Take, Model: t.Order.Model, Voice: t.Order.Voice, Format: string(t.Order.Format), Speed: t.Order.Speed, Characters: t.Chars,
		Shared: j.Shared, CreatedAt: utc(j.Opened),
	}
	updated := max(t.News, tape.News)
	if t.live() {
		out.State, out.Spoken, out.Cost = job.Queued, tape.Spoken, tape.Cost
		if t.Claim > 0 {
			out.State = job.Running
		}
	} else {
		out.State, out.Spoken, out.Cost, out.Error = job.State(t.State), t.Spoken, t.Cost, t.Error
		updated = t.Ended
	}
	if j.Cancelled > 0 {
		out.State, out.Error = job.Cancelled, nil
		updated = j.Cancelled
		if t.State != cancelled { // it goes on for others
			out.Spoken, out.Cost = 0, speech.Cost{}
		}
	}
	if out.State == job.Succeeded {
		out.ExpiresAt, out.Expired = utc(t.Due), !t.kept(b.now().UnixMilli())
	}
	out.UpdatedAt = utc(max(updated, j.Opened))
	return out
}

func utc(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// Jobs implements speech.Desk. The ids of jobs are ordered by time, so the last key is the newest job.
func (b *Book) Jobs(tx rows.Tx, cursor string, limit int) (speech.Page, error) {
	if limit < 1 || limit > speech.MaxPage {
		return speech.Page{}, fault.Invalidf("limit", "value_out_of_range", "is not between 1 and %d", speech.MaxPage)
	}
	to := jobsEnd
	if cursor != "" {
		last, err := base64.RawURLEncoding.DecodeString(cursor)
		if err != nil || len(last) == 0 || !utf8.Valid(last) {
			return speech.Page{}, fault.Invalidf("cursor", "invalid_value", "is not a cursor of this list")
		}
		to = min(jobsEnd, jobPrefix+string(last))
	}
	found, err := tx.Reverse(jobPrefix, to, limit+1)
	if err != nil {
		return speech.Page{}, fmt.Errorf("speech: reverse: %w", err)
	}
	page := speech.Page{Jobs: []speech.Job{}}
	takes := map[string]*take{}
	for i, row := range found {
		id := strings.TrimPrefix(row.Key, jobPrefix)
		if i == limit {
			page.Next = base64.RawURLEncoding.EncodeToString([]byte(strings.TrimPrefix(found[i-1].Key, jobPrefix)))
			break
		}
		out, err := b.listed(tx, takes, id, row.Value)
		if err != nil {
			return speech.Page{}, err
		}
		if out != nil {
			page.Jobs = append(page.Jobs, *out)
		}
	}
	return page, nil
}

// listed is a job of a list; nil while it is being erased. Only of takes that are being made, which are few, the tape says how far they are.
func (b *Book) listed(tx rows.Tx, takes map[string]*take, id string, value []byte) (*speech.Job, error) {
	var j jobRow
	if err := json.Unmarshal(value, &j); err != nil {
		return nil, fmt.Errorf("speech: job %.64q: %w", id, err)
	}
	t, known := takes[j.Take]
	if !known {
		var err error
		if t, err = findTake(tx, j.Take); err != nil {
			return nil, err
		}
		takes[j.Take] = t
	}
	if t == nil {
		return nil, nil
	}
	var tape tapeRow
	if t.live() {
		var err error
		if tape, err = tapeOf(tx, t); err != nil {
			return nil, err
		}
	}
	out := b.brief(id, j, t, tape)
	return &out, nil
}

// Cancel implements speech.Desk.
func (b *Book) Cancel(tx rows.Tx, s tenants.Scope, id string) (speech.Job, error) {
	j, t, err := findJob(tx, id)
	if err != nil {
		return speech.Job{}, err
	}
	if j.Cancelled == 0 && t.live() {
		c := b.begin(tx, s)
		j.Cancelled = c.now
		if err := errors.Join(rows.Write(tx, jobPrefix+id, j), c.remove(memberKey(t.id(), id)), c.forgetJob(id, j), c.left(t), c.close()); err != nil {
			return speech.Job{}, err
		}
	}
	return b.told(tx, id, j, t)
}

// left counts a job of a take no longer. The last one takes the take along.
func (c *change) left(t *take) error {
	if t.Jobs--; t.Jobs > 0 {
		return c.write(t)
	}
	tape, err := tapeOf(c.tx, t)
	if err != nil {
		return err
	}
	if err := c.leave(t); err != nil {
		return err
	}
	t.State, t.Direct, t.Ended, t.Spoken, t.Cost = cancelled, "", c.now, tape.Spoken, tape.Cost
	t.Due = c.now + speech.Late.Milliseconds() // whoever makes it may have a part to keep yet
	return errors.Join(c.remove(textPrefix+t.id()), c.put(t.garbage()), c.write(t), c.admit())
}

// clip cuts a message to maxMessage bytes, between runes.
func clip(s string) string {
	if len(s) <= maxMessage {
		return s
	}
	n := maxMessage
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
