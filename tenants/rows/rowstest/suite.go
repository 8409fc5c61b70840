package rowstest

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/tenants/rows"
)

// Store runs f in a transaction, which is rolled back when f returns an error; that error is returned.
type Store func(f func(tx rows.Tx) error) error

// TestTx checks the promises of rows.Tx. Keys are new in each run, so a store that keeps its state may run it again.
func TestTx(t *testing.T, open func(t *testing.T) Store) {
	t.Run("what was put is got, in the transaction and after it", func(t *testing.T) {
		do, p := open(t), fresh(t)
		values := map[string][]byte{p + "a": []byte("1"), p + "b\x00é~": []byte("\x00\xff"), p: {}, p + "long": []byte(strings.Repeat("x", 100_000))}
		run(t, do, func(tx rows.Tx) {
			for k, v := range values {
				require.NoError(t, tx.Put(k, v))
			}
			for k, v := range values {
				assert.Equal(t, v, get(t, tx, k), "%.20q", k)
			}
		})
		run(t, do, func(tx rows.Tx) {
			for k, v := range values {
				assert.Equal(t, v, get(t, tx, k), "%.20q", k)
			}
			assert.Nil(t, get(t, tx, p+"c"), "what is not there")
			all, err := rows.GetAll(tx, []string{p + "long", p + "c", p + "b\x00é~", p, p + "a", p + "c", p + "a"})
			require.NoError(t, err)
			assert.Equal(t, [][]byte{values[p+"long"], nil, values[p+"b\x00é~"], {}, []byte("1"), nil, []byte("1")}, all)
			all, err = rows.GetAll(tx, nil)
			require.NoError(t, err)
			assert.Empty(t, all)
		})
	})
	t.Run("a later value replaces, and what is deleted is gone", func(t *testing.T) {
		do, p := open(t), fresh(t)
		run(t, do, func(tx rows.Tx) {
			require.NoError(t, errors.Join(tx.Put(p+"a", []byte("1")), tx.Put(p+"a", []byte("2")), tx.Put(p+"b", []byte("3"))))
			require.NoError(t, errors.Join(tx.Delete(p+"b"), tx.Delete(p+"never")))
			assert.Nil(t, get(t, tx, p+"b"))
		})
		run(t, do, func(tx rows.Tx) {
			assert.Equal(t, []string{p + "a=2"}, scan(t, tx, p, 10))
			require.NoError(t, errors.Join(tx.Delete(p+"a"), tx.Put(p+"b", []byte("4")), tx.Delete(p+"b"), tx.Put(p+"b", []byte("5"))))
			assert.Equal(t, []string{p + "b=5"}, scan(t, tx, p, 10))
		})
		run(t, do, func(tx rows.Tx) { assert.Equal(t, []string{p + "b=5"}, scan(t, tx, p, 10)) })
	})
	t.Run("a scan is of one prefix, in the order of bytes", func(t *testing.T) { testScan(t, open(t), fresh(t)) })
	t.Run("a range begins with its first key and ends before its last", func(t *testing.T) { testRange(t, open(t), fresh(t)) })
	t.Run("an error undoes all of it", func(t *testing.T) {
		do, p, undo := open(t), fresh(t), errors.New("undo")
		run(t, do, func(tx rows.Tx) {
			require.NoError(t, errors.Join(tx.Put(p+"a", []byte("1")), tx.Put(p+"b", []byte("2"))))
		})
		err := do(func(tx rows.Tx) error {
			require.NoError(t, errors.Join(tx.Put(p+"a", []byte("9")), tx.Put(p+"c", []byte("9")), tx.Delete(p+"b")))
			assert.Equal(t, []string{p + "a=9", p + "c=9"}, scan(t, tx, p, 10))
			none, err := tx.Range(p+"b", p+"c", 10)
			require.NoError(t, err)
			assert.Empty(t, none, "what is deleted")
			return undo
		})
		require.ErrorIs(t, err, undo)
		run(t, do, func(tx rows.Tx) { assert.Equal(t, []string{p + "a=1", p + "b=2"}, scan(t, tx, p, 10)) })
	})
	t.Run("a row needs a key and a value", func(t *testing.T) {
		do, p := open(t), fresh(t)
		assert.Error(t, do(func(tx rows.Tx) error { return tx.Put("", []byte("x")) }))
		assert.Error(t, do(func(tx rows.Tx) error { return tx.Put(p, nil) }))
	})
	t.Run("values are kept apart from their callers'", func(t *testing.T) {
		do, p := open(t), fresh(t)
		run(t, do, func(tx rows.Tx) {
			value := []byte("abc")
			require.NoError(t, tx.Put(p, value))
			got, found := get(t, tx, p), first(t, tx, p)
			require.NoError(t, tx.Put(p, []byte("xyz")))
			assert.Equal(t, "abc", string(got))
			assert.Equal(t, "abc", string(found))
			get(t, tx, p)[0], first(t, tx, p)[1] = '!', '!'
			assert.Equal(t, "xyz", string(get(t, tx, p)))
		})
	})
}

func testScan(t *testing.T, do Store, p string) {
	keys := []string{"", "!", "a", "a/", "a/1", "a/10", "a/2", "a/~", "a/é", "a/水", "a0", "b", "~", "é", "éa", "水", "\U0010FFFF", "\U0010FFFFa"}
	run(t, do, func(tx rows.Tx) {
		for i := range keys {
			require.NoError(t, tx.Put(p+keys[len(keys)-1-i], []byte("x")))
		}
	})
	run(t, do, func(tx rows.Tx) {
		for _, prefix := range append(keys, "none") {
			var want []string
			for _, k := range keys {
				if strings.HasPrefix(k, prefix) {
					want = append(want, p+k+"=x")
				}
			}
			assert.Equal(t, want, scan(t, tx, p+prefix, 100), "%q", prefix)
			assert.Equal(t, want[:min(2, len(want))], scan(t, tx, p+prefix, 2), "%q", prefix)
		}
		assert.Empty(t, scan(t, tx, p, 0))
		all, err := tx.Scan("", 1)
		require.NoError(t, err)
		assert.Len(t, all, 1, "the empty prefix is every key's")
	})
}

func testRange(t *testing.T, do Store, p string) {
	run(t, do, func(tx rows.Tx) {
		for _, k := range []string{"é", "c", "b/2", "b/1", "a"} {
			require.NoError(t, tx.Put(p+k, []byte("x")))
		}
	})
	run(t, do, func(tx rows.Tx) {
		for _, c := range []struct {
			from, to string
			limit    int
			want     []string
		}{
			{"", "~", 10, []string{"a", "b/1", "b/2", "c"}},
			{"", "\U0010FFFF", 10, []string{"a", "b/1", "b/2", "c", "é"}},
			{"a", "c", 10, []string{"a", "b/1", "b/2"}},
			{"a", "c", 2, []string{"a", "b/1"}},
			{"a\x00", "b/2", 10, []string{"b/1"}},
			{"c", "é", 10, []string{"c"}},
			{"c", "c", 10, nil},
			{"c", "a", 10, nil},
			{"a", "c", 0, nil},
		} {
			found, err := tx.Range(p+c.from, p+c.to, c.limit)
			require.NoError(t, err)
			var got []string
			for _, r := range found {
				got = append(got, strings.TrimPrefix(r.Key, p))
			}
			assert.Equal(t, c.want, got, "%q to %q", c.from, c.to)
		}
		for _, c := range []struct {
			from, to string
			limit    int
			want     []string
		}{
			{"", "\U0010FFFF", 10, []string{"é", "c", "b/2", "b/1", "a"}},
			{"a", "c", 10, []string{"b/2", "b/1", "a"}},
			{"a", "c", 2, []string{"b/2", "b/1"}},
			{"b/1\x00", "c", 10, []string{"b/2"}},
			{"c", "c", 10, nil},
			{"c", "a", 10, nil},
			{"a", "c", 0, nil},
		} {
			found, err := tx.Reverse(p+c.from, p+c.to, c.limit)
			require.NoError(t, err)
			var got []string
			for _, r := range found {
				got = append(got, strings.TrimPrefix(r.Key, p))
			}
			assert.Equal(t, c.want, got, "%q to %q, the last first", c.from, c.to)
		}
		// A page after the other, each from the key after the last.
		var paged []string
		for from := p; ; {
			found, err := tx.Range(from, p+"~", 1)
			require.NoError(t, err)
			if len(found) == 0 {
				break
			}
			paged = append(paged, strings.TrimPrefix(found[0].Key, p))
			from = found[0].Key + "\x00"
		}
		assert.Equal(t, []string{"a", "b/1", "b/2", "c"}, paged)
	})
}

// run is a transaction that is committed.
func run(t *testing.T, do Store, f func(tx rows.Tx)) {
	t.Helper()
	require.NoError(t, do(func(tx rows.Tx) error {
		f(tx)
		return nil
	}))
}

func get(t *testing.T, tx rows.Tx, key string) []byte {
	t.Helper()
	v, err := tx.Get(key)
	require.NoError(t, err)
	return v
}

// scan is what a scan finds, "key=value".
func scan(t *testing.T, tx rows.Tx, prefix string, limit int) (out []string) {
	t.Helper()
	found, err := tx.Scan(prefix, limit)
	require.NoError(t, err)
	for _, r := range found {
		out = append(out, fmt.Sprintf("%s=%s", r.Key, r.Value))
	}
	return out
}

// first is the value of the first row that a scan finds.
func first(t *testing.T, tx rows.Tx, prefix string) []byte {
	t.Helper()
	found, err := tx.Scan(prefix, 1)
	require.NoError(t, err)
	require.Len(t, found, 1)
	return found[0].Value
}

// fresh begins keys that no run before has used.
func fresh(t *testing.T) string {
	t.Helper()
	id, err := uuid.NewV7()
	require.NoError(t, err)
	return "t/" + id.String() + "/"
}
