package rows_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/tenants/rows"
	"levada.dev/tenants/rows/rowstest"
)

func Example() {
	type balance struct{ Cents int64 }
	store := rows.NewMemory()

	tx := store.Begin()
	if err := errors.Join(rows.Write(tx, "b/alice", balance{900}), rows.Write(tx, "b/bob", balance{100})); err != nil {
		panic(err)
	}
	tx.Commit()

	forgotten := store.Begin()
	if err := rows.Write(forgotten, "b/alice", balance{0}); err != nil {
		panic(err)
	}

	all, _ := store.Scan("b/", 10)
	for _, r := range all {
		fmt.Printf("%s %s\n", r.Key, r.Value)
	}
	fmt.Println(store.Written, "rows written")
	// Output:
	// b/alice {"Cents":900}
	// b/bob {"Cents":100}
	// 2 rows written
}

func TestMemory(t *testing.T) {
	rowstest.TestTx(t, func(*testing.T) rowstest.Store {
		m := rows.NewMemory()
		return func(f func(tx rows.Tx) error) error {
			tx := m.Begin()
			err := f(tx)
			if err == nil {
				tx.Commit()
			}
			return err
		}
	})
}

// TestMemoryWithoutATransaction: what needs none may use the rows as they are.
func TestMemoryWithoutATransaction(t *testing.T) {
	m := rows.NewMemory()
	require.NoError(t, m.Put("a", []byte("1")))
	require.NoError(t, m.Delete("a"))
	v, err := m.Get("a")
	require.NoError(t, err)
	assert.Nil(t, v)
}

func TestMemoryCountsWhatADatabaseBills(t *testing.T) {
	m := rows.NewMemory()
	tx := m.Begin()
	require.NoError(t, errors.Join(tx.Put("a", []byte("1")), tx.Put("a", []byte("2")), tx.Put("b", []byte("1")), tx.Delete("b"), tx.Delete("never")))
	assert.Zero(t, m.Written, "nothing is true yet")
	tx.Commit()
	assert.Equal(t, 4, m.Written, "each put and each row that a delete removes")
	undone := m.Begin()
	require.NoError(t, undone.Put("c", []byte("1")))
	assert.Equal(t, 4, m.Written)
	_, err := m.Scan("", 10)
	require.NoError(t, err)
	require.NoError(t, m.Delete("b"))
	assert.Equal(t, 4, m.Written, "reading and deleting nothing cost nothing")
}

func TestReadAndWrite(t *testing.T) {
	m := rows.NewMemory()
	var got struct{ A int }
	there, err := rows.Read(m, "k", &got)
	require.NoError(t, err)
	assert.False(t, there)
	require.NoError(t, rows.Write(m, "k", map[string]int{"A": 7}))
	there, err = rows.Read(m, "k", &got)
	require.NoError(t, err)
	assert.True(t, there)
	assert.Equal(t, 7, got.A)

	require.NoError(t, m.Put("k", []byte("{")))
	_, err = rows.Read(m, "k", &got)
	assert.ErrorContains(t, err, `"k"`, "it says which row")
	assert.Error(t, rows.Write(m, "k", func() {}), "what is no JSON")
	assert.Error(t, rows.Write(m, "", 1))
	_, err = rows.Read(failing{m}, "k", &got)
	assert.ErrorIs(t, err, errBroken)
	assert.ErrorIs(t, rows.Write(failing{m}, "k", 1), errBroken)
}

var errBroken = errors.New("broken")

// failing is rows that cannot be reached.
type failing struct{ rows.Tx }

func (failing) Get(string) ([]byte, error) { return nil, errBroken }
func (failing) Put(string, []byte) error   { return errBroken }
