package object

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	"levada.dev/infra/cloudflare/isolate/wire"
)

// Rows are the rows of a statement. They are in memory: nothing must be closed.
//
//	for rows.Next() {
//		if err := rows.Scan(&id, &name); err != nil { ... }
//	}
type Rows struct {
	Written int64 // rows written, index rows included
	Columns int   // 0 when there are no rows
	cells   *wire.Reader
	left    int // cells of the present row that are not read
}

// ErrNoRows is returned by One when there is no row.
var ErrNoRows = errors.New("object: no rows")

// Next goes to the next row, and tells whether there is one.
func (r *Rows) Next() bool {
	for ; r.left > 0; r.left-- {
		r.cells.Skip()
	}
	if r.cells.Next() == wire.End {
		return false
	}
	r.left = r.Columns
	return true
}

// One scans the only (or first) row, or returns ErrNoRows.
func (r *Rows) One(dest ...any) error {
	if !r.Next() {
		return ErrNoRows
	}
	return r.Scan(dest...)
}

var errRow = errors.New("object: Scan without a row")

// Scan copies the columns of the row: to *int64, *int, *bool, *float64, *string,
// *[]byte or *any; a pointer to such a pointer takes NULL as nil. What does not fit
// exactly is an error: an integer beyond 2^53 read as a number, NULL into anything but
// *[]byte, *any and pointers. Text that is a decimal number scans into an integer.
func (r *Rows) Scan(dest ...any) error {
	if r.left == 0 {
		return errRow
	}
	if len(dest) > r.left {
		return fmt.Errorf("object: %d columns, %d destinations", r.left, len(dest))
	}
	for i, d := range dest {
		r.left--
		if err := r.scan(d); err != nil {
			return fmt.Errorf("object: column %d: %w", i+1, err)
		}
	}
	return r.cells.Err()
}

func (r *Rows) scan(dest any) error {
	c := r.cells
	switch d := dest.(type) {
	case *int64:
		return scanInt(c, d)
	case *int:
		var n int64
		if err := scanInt(c, &n); err != nil {
			return err
		}
		*d = int(n)
	case *bool:
		var n int64
		if err := scanInt(c, &n); err != nil {
			return err
		}
		*d = n != 0
	case *float64:
		*d = c.Float()
	case *string:
		if k := c.Next(); k != wire.String && k != wire.Bytes {
			return mismatch(c, "a string")
		}
		*d = string(c.Bytes())
	case *[]byte:
		if k := c.Next(); k != wire.String && k != wire.Bytes && k != wire.Null {
			return mismatch(c, "bytes")
		}
		*d = c.Bytes()
	case *any:
		return scanAny(c, d)
	case **int64:
		return nullable(r, d)
	case **float64:
		return nullable(r, d)
	case **string:
		return nullable(r, d)
	default:
		return fmt.Errorf("cannot scan into %T", dest)
	}
	return c.Err()
}

func nullable[T any](r *Rows, d **T) error {
	if r.cells.Null() {
		*d = nil
		return nil
	}
	*d = new(T)
	return r.scan(*d)
}

func scanInt(c *wire.Reader, d *int64) error {
	switch c.Next() {
	case wire.Int, wire.Float:
		*d = c.Int() // reports a number that is not exact
		return c.Err()
	case wire.String:
		n, err := strconv.ParseInt(c.String(), 10, 64)
		*d = n
		return err
	}
	return mismatch(c, "an integer")
}

// scanAny gives int64 for an integral number, since JavaScript does not tell 1 from 1.0.
func scanAny(c *wire.Reader, d *any) error {
	switch c.Next() {
	case wire.Null:
		c.Skip()
		*d = nil
	case wire.Int:
		*d = c.Int()
	case wire.Float:
		f := c.Float()
		*d = f
		if f == math.Trunc(f) && math.Abs(f) <= wire.MaxSafe && !(f == 0 && math.Signbit(f)) {
			*d = int64(f)
		}
	case wire.String:
		*d = c.String()
	case wire.Bytes:
		*d = c.Bytes()
	default:
		return mismatch(c, "a value")
	}
	return c.Err()
}

func mismatch(c *wire.Reader, want string) error {
	if c.Null() {
		return errors.New("NULL, want " + want)
	}
	c.Skip()
	if err := c.Err(); err != nil {
		return err
	}
	return errors.New("want " + want)
}
