package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"

	"levada.dev/infra/cloudflare/object"
)

// sql checks every kind of cell both ways, and returns what it found.
func (c *counter) sql(ctx context.Context) ([]byte, error) {
	db := c.st.SQL()
	if _, err := db.Exec(ctx, "CREATE TABLE IF NOT EXISTS cells (id INTEGER PRIMARY KEY, v)"); err != nil {
		return nil, err
	}
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	values := []any{nil, int64(0), int64(-1), int64(math.MaxInt32), int64(math.MinInt32), int64(1<<53 - 1), int64(-(1<<53 - 1)),
		0.5, -1e300, math.SmallestNonzeroFloat64, "", "grüße 🎉\x00\n", []byte{}, all}
	found := []string{}
	for i, v := range values {
		if _, err := db.Exec(ctx, "INSERT OR REPLACE INTO cells VALUES (?, ?)", i, v); err != nil {
			return nil, fmt.Errorf("%v: %w", v, err)
		}
		rows, err := db.Query(ctx, "SELECT v, typeof(v) FROM cells WHERE id = ?", i)
		if err != nil {
			return nil, err
		}
		var got any
		var kind string
		if err := rows.One(&got, &kind); err != nil {
			return nil, err
		}
		if b, ok := v.([]byte); ok && bytes.Equal(b, got.([]byte)) || !ok && got == v {
			continue
		}
		found = append(found, fmt.Sprintf("%v (%T) came back as %v (%T, %s)", v, v, got, got, kind))
	}
	_, tooBig := db.Exec(ctx, "INSERT INTO cells VALUES (100, ?)", int64(1<<53))
	if !errors.Is(tooBig, object.ErrInteger) {
		found = append(found, fmt.Sprintf("an integer beyond 2^53 gives %v", tooBig))
	}
	for _, n := range []int64{math.MaxInt64, math.MinInt64, 1<<53 + 1} {
		if _, err := db.Exec(ctx, "INSERT OR REPLACE INTO cells VALUES (101, CAST(? AS INTEGER))", strconv.FormatInt(n, 10)); err != nil {
			return nil, err
		}
		rows, err := db.Query(ctx, "SELECT CAST(v AS TEXT), v FROM cells WHERE id = 101")
		if err != nil {
			return nil, err
		}
		var exact, direct int64
		rows.Next()
		if err := rows.Scan(&exact, &direct); exact != n || err == nil {
			found = append(found, fmt.Sprintf("%d: as text %d, directly %d %v", n, exact, direct, err))
		}
	}
	return json.Marshal(found)
}

// writes runs two statements without a wait in between, and ends in the way that how names.
func (c *counter) writes(ctx context.Context, how string) error {
	if err := c.set(ctx, "w1", 1); err != nil {
		return err
	}
	if how == "panic" {
		go panic("between two writes") // takes effect only when this goroutine waits or ends
	}
	if how == "die" {
		die(nil, "exit")
	}
	if err := c.set(ctx, "w2", 1); err != nil {
		return err
	}
	if how == "error" {
		return errors.New("after two writes")
	}
	return nil
}
