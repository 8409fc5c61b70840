package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"levada.dev/infra/cloudflare/object"
)

var counters = object.Open("COUNTER")

func objectRoutes(mux *http.ServeMux) {
	object.Register("Counter", newCounter)
	mux.HandleFunc("/object/{name}/{method}", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			reply(w, nil, err)
			return
		}
		out, err := counters.Named(r.PathValue("name")).Call(r.Context(), r.PathValue("method"), body)
		var remote *object.RemoteError
		var gone *object.UnavailableError
		switch {
		case errors.As(err, &remote):
			w.WriteHeader(http.StatusConflict)
			fmt.Fprintf(w, "%s|%s", remote.Data, remote.Message)
		case errors.As(err, &gone):
			w.WriteHeader(http.StatusServiceUnavailable)
			reply(w, gone, nil)
		case err != nil:
			reply(w, nil, err)
		default:
			_, _ = w.Write(out)
		}
	})
	mux.HandleFunc("/objectsse/{name}", func(w http.ResponseWriter, r *http.Request) {
		req, err := http.NewRequestWithContext(r.Context(), http.MethodGet, "http://object/?"+r.URL.RawQuery, nil)
		if err != nil {
			reply(w, nil, err)
			return
		}
		resp, err := counters.Named(r.PathValue("name")).Do(req)
		if err != nil {
			reply(w, nil, err)
			return
		}
		defer resp.Body.Close()
		w.(http.Flusher).Flush()
		_, _ = io.Copy(w, resp.Body)
	})
}

// counter counts in its database and, to see what a death costs, in memory.
type counter struct {
	st    *object.State
	mu    sync.Mutex
	calls int
	boots int64
}

func newCounter(ctx context.Context, st *object.State) (object.Object, error) {
	c := &counter{st: st}
	if _, err := st.SQL().Exec(ctx, "CREATE TABLE IF NOT EXISTS n (k TEXT PRIMARY KEY, v INTEGER)"); err != nil {
		return nil, err
	}
	var err error
	c.boots, err = c.add(ctx, "boots", 1)
	return c, err
}

func (c *counter) add(ctx context.Context, key string, by int64) (n int64, err error) {
	rows, err := c.st.SQL().Query(ctx, "INSERT INTO n VALUES (?1, ?2) ON CONFLICT(k) DO UPDATE SET v = v + ?2 RETURNING v", key, by)
	if err != nil {
		return 0, err
	}
	return n, rows.One(&n)
}

func (c *counter) get(ctx context.Context, key string) (n int64, err error) {
	rows, err := c.st.SQL().Query(ctx, "SELECT v FROM n WHERE k = ?", key)
	if err != nil {
		return 0, err
	}
	if err = rows.One(&n); errors.Is(err, object.ErrNoRows) {
		err = nil
	}
	return n, err
}

func (c *counter) set(ctx context.Context, key string, n int64) error {
	_, err := c.st.SQL().Exec(ctx, "INSERT OR REPLACE INTO n VALUES (?, ?)", key, n)
	return err
}

// A coded error crosses as JSON.
type coded struct{ Code int }

func (e coded) Error() string                { return "coded error" }
func (e coded) MarshalJSON() ([]byte, error) { return json.Marshal(map[string]int{"code": e.Code}) }

// Call implements object.Object.
func (c *counter) Call(ctx context.Context, method string, body []byte) ([]byte, error) {
	c.mu.Lock()
	c.calls++
	c.mu.Unlock()
	switch method {
	case "echo":
		return body, nil
	case "inc":
		return count(c.add(ctx, "inc", 1))
	case "sleepinc":
		time.Sleep(time.Duration(5+len(c.st.Name)) * time.Millisecond)
		return count(c.add(ctx, "sleep", 1))
	case "ioinc":
		if err := echoed(ctx, 2, c.st.Name); err != nil {
			return nil, err
		}
		return count(c.add(ctx, "io", 1))
	case "blockinc":
		return nil, c.st.BlockConcurrencyWhile(ctx, func(ctx context.Context) error {
			n, err := c.get(ctx, "block")
			if err != nil {
				return err
			}
			if err := echoed(ctx, 2, c.st.Name); err != nil {
				return err
			}
			time.Sleep(time.Millisecond)
			return c.set(ctx, "block", n+1)
		})
	case "blockfail":
		return nil, c.st.BlockConcurrencyWhile(ctx, func(context.Context) error { return errors.New("block failed") })
	case "txninc":
		time.Sleep(time.Millisecond)
		return nil, c.st.SQL().Txn(ctx, func(tx *object.Tx) error { return c.txnInc(tx, false) })
	case "txnfail":
		return nil, c.st.SQL().Txn(ctx, func(tx *object.Tx) error { return c.txnInc(tx, true) })
	case "txnwait":
		return nil, c.st.SQL().Txn(ctx, func(tx *object.Tx) error {
			if err := c.txnInc(tx, false); err != nil {
				return err
			}
			time.Sleep(5 * time.Millisecond)
			return c.txnInc(tx, false)
		})
	case "txnpanic":
		return nil, c.st.SQL().Txn(ctx, func(tx *object.Tx) error {
			_ = c.txnInc(tx, false)
			panic("in a transaction")
		})
	case "batch":
		return nil, c.st.SQL().Batch(ctx, object.Stmt{Query: "INSERT OR REPLACE INTO n VALUES ('b', ?)", Args: []any{1}}, object.Stmt{Query: "INSERT INTO nosuch VALUES (1)"})
	case "alarm":
		ms, _ := strconv.Atoi(string(body))
		return nil, c.st.SetAlarm(ctx, time.Now().Add(time.Duration(ms)*time.Millisecond))
	case "alarmat":
		at, err := c.st.Alarm(ctx)
		return fmt.Append(nil, !at.IsZero()), err
	case "alarmdelete":
		return nil, c.st.DeleteAlarm(ctx)
	case "failalarm":
		return nil, c.set(ctx, "failalarm", 1)
	case "state":
		return c.state(ctx)
	case "sql":
		return c.sql(ctx)
	case "writes":
		return nil, c.writes(ctx, string(body))
	case "fail":
		return nil, errors.New("business error")
	case "coded":
		return nil, fmt.Errorf("wrapped: %w", coded{7})
	case "panic":
		panic("in a call")
	case "die":
		go panic("bye")
		select {}
	case "abort":
		return nil, c.st.Abort(ctx, "aborted by the test")
	case "hang":
		<-ctx.Done()
		note("hang"+c.st.Name, "%v", context.Cause(ctx))
		return nil, context.Cause(ctx)
	case "deleteall":
		return nil, c.st.DeleteAll(ctx)
	}
	return nil, errors.New("no method " + method)
}

func count(n int64, err error) ([]byte, error) { return strconv.AppendInt(nil, n, 10), err }

func (c *counter) txnInc(tx *object.Tx, fail bool) error {
	var n int64
	rows, err := tx.Query("SELECT v FROM n WHERE k = 'txn'")
	if err != nil {
		return err
	}
	if err := rows.One(&n); err != nil && !errors.Is(err, object.ErrNoRows) {
		return err
	}
	if _, err := tx.Exec("INSERT OR REPLACE INTO n VALUES ('txn', ?)", n+1); err != nil {
		return err
	}
	if fail {
		return errors.New("changed my mind")
	}
	return nil
}

func (c *counter) state(ctx context.Context) ([]byte, error) {
	c.mu.Lock()
	m := map[string]any{"name": c.st.Name, "boots": c.boots, "calls": c.calls}
	c.mu.Unlock()
	for _, k := range []string{"inc", "sleep", "io", "block", "txn", "alarms", "sse", "b", "w1", "w2"} {
		n, err := c.get(ctx, k)
		if err != nil {
			return nil, err
		}
		m[k] = n
	}
	return json.Marshal(m)
}

// Alarm implements object.Alarmer.
func (c *counter) Alarm(ctx context.Context, retry int) error {
	fail, err := c.get(ctx, "failalarm")
	if err != nil {
		return err
	}
	if fail > 0 && retry == 0 {
		return errors.New("the alarm fails once")
	}
	_, err = c.add(ctx, "alarms", 1)
	return err
}

// ServeHTTP streams events, one database write each.
func (c *counter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	defer note("objectsse"+c.st.Name, "returned")
	for i := range number(r, "n") {
		n, err := c.add(r.Context(), "sse", 1)
		if err != nil {
			return
		}
		if _, err := fmt.Fprintf(w, "data: %s %d %d\n\n", c.st.Name, i, n); err != nil {
			return
		}
		w.(http.Flusher).Flush()
		time.Sleep(time.Duration(number(r, "ms")) * time.Millisecond)
	}
}
