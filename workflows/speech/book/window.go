package book

import (
	"errors"
	"fmt"
	"slices"

	"levada.dev/events/fault"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/speech"
)

// room is who is being made, and who waits for that.
type room struct {
	Making  []string `json:"m,omitempty"` // takes
	Waiting int      `json:"w,omitempty"` // takes
	Last    int64    `json:"l,omitempty"` // number that one was given
	dirty   bool
}

// maxMaking is how many takes are made at a time at most, those included that are spoken directly: those wait for nobody, and nobody for them.
const maxMaking = 100

func errBacklog(what string, most int) error {
	return fault.New(fault.Limited, speech.CodeBacklog, fmt.Sprintf("%d %s already", most, what), nil).WithHint("ask again later")
}

// desk is the room, read once.
func (c *change) desk() (*room, error) {
	if c.room != nil {
		return c.room, nil
	}
	c.room = &room{}
	_, err := rows.Read(c.tx, roomKey, c.room)
	return c.room, err
}

// close writes the room if it has changed.
func (c *change) close() error {
	if c.room == nil || !c.room.dirty {
		return nil
	}
	c.room.dirty = false
	return rows.Write(c.tx, roomKey, c.room)
}

// enter counts a take as one that is made. Its row is the caller's to write.
func (c *change) enter(t *take) error {
	r, err := c.desk()
	if err != nil {
		return err
	}
	if t.State == waiting {
		if err := c.unqueue(t); err != nil {
			return err
		}
	}
	t.State, t.News = making, c.now
	r.Making, r.dirty = append(r.Making, t.id()), true
	return nil
}

// queue has a take wait for its turn.
func (c *change) queue(t *take) error {
	r, err := c.desk()
	if err != nil {
		return err
	}
	if r.Waiting >= speech.MaxWaiting {
		return errBacklog("texts wait", speech.MaxWaiting)
	}
	r.Waiting, r.Last, r.dirty = r.Waiting+1, r.Last+1, true
	t.State, t.Place = waiting, r.Last
	if err := c.tx.Put(placeKey(t.Place), []byte(t.id())); err != nil {
		return fmt.Errorf("speech: put: %w", err)
	}
	return nil
}

// unqueue takes a take out of those that wait.
func (c *change) unqueue(t *take) error {
	r, err := c.desk()
	if err != nil {
		return err
	}
	r.Waiting, r.dirty = r.Waiting-1, true
	place := t.Place
	t.Place = 0
	return c.remove(placeKey(place))
}

// leave counts a take no longer, whether it waited or was made.
func (c *change) leave(t *take) error {
	if t.State == waiting {
		return c.unqueue(t)
	}
	return c.gone(t.id())
}

// gone counts a take no longer that was made.
func (c *change) gone(id string) error {
	r, err := c.desk()
	if err != nil {
		return err
	}
	n := len(r.Making)
	r.Making = slices.DeleteFunc(r.Making, func(of string) bool { return of == id })
	r.dirty = r.dirty || len(r.Making) != n
	return nil
}

// free is how many takes more the queue may make. Those that are spoken directly take nobody's turn.
func (c *change) free(r *room) (int, error) {
	n := speech.MaxMaking - len(r.Making)
	for i := 0; n < 1 && i < len(r.Making); i++ {
		t, err := findTake(c.tx, r.Making[i])
		if err != nil {
			return 0, err
		}
		if t == nil || t.Direct != "" {
			n++
		}
	}
	return n, nil
}

// admit lets in who waited longest, as many as there is room for.
func (c *change) admit() error {
	r, err := c.desk()
	for err == nil && r.Waiting > 0 {
		n := 0
		if n, err = c.free(r); err != nil || n < 1 {
			return err
		}
		err = c.next(r)
	}
	return err
}

func (c *change) next(r *room) error {
	found, err := c.tx.Scan(waitingPrefix, 1)
	if err != nil {
		return fmt.Errorf("speech: scan: %w", err)
	}
	if len(found) == 0 {
		r.Waiting, r.dirty = 0, true
		return nil
	}
	t, err := findTake(c.tx, string(found[0].Value))
	if err != nil {
		return err
	}
	if t == nil {
		r.Waiting, r.dirty = r.Waiting-1, true
		return c.remove(found[0].Key)
	}
	return errors.Join(c.enter(t), c.write(t), c.request(t))
}
