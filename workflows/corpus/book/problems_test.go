package book_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/corpus/book"
	"levada.dev/workflows/imports"
	"levada.dev/workflows/job"
)

// refuse opens an import, all of whose entries are refused, and ends it.
func (d *desk) refuse(id string, entries int) {
	_, err := d.book.OpenImport(d.rows, d.scope, imports.Import{ID: id, Origin: imports.Origin{Batch: 1}, Cause: events.Cause{ID: "r"}})
	require.NoError(d.t, err)
	for n := 0; n < entries; n += 100 {
		es := make([]imports.Taking, min(100, entries-n))
		for i := range es {
			es[i].Problem = &job.Problem{Stage: "submit", Line: n + i + 1, Code: "invalid_json", Message: "is no JSON"}
		}
		before := d.written
		_, err := d.book.Take(d.rows, d.scope, id, n, es)
		require.NoError(d.t, err)
		require.LessOrEqual(d.t, d.written-before, 4, "rows of one transaction, however many are refused")
	}
	_, err = d.book.SealImport(d.rows, d.scope, id, entries, nil)
	require.NoError(d.t, err)
}

func TestProblemsAreSweptWithTheirJob(t *testing.T) {
	d := newDesk(t)
	d.refuse("0-old", 25_050)
	count := func(id string) (n int) {
		found, err := d.Scan("q/"+id+"/", 1000)
		require.NoError(t, err)
		return len(found)
	}
	require.Equal(t, 251, count("0-old"))
	d.now = d.now.Add(book.JobLife - time.Hour)
	d.refuse("1-young", 5)
	d.now = d.now.Add(2 * time.Hour)
	for next, steps := "", 0; steps == 0 || next != ""; steps++ {
		require.Less(t, steps, 10)
		before := d.written
		var err error
		next, err = d.book.Sweep(d.rows, next, 100)
		require.NoError(t, err)
		assert.LessOrEqual(t, d.written-before, 101)
	}
	assert.Equal(t, []int{0, 1}, []int{count("0-old"), count("1-young")})
	_, err := d.book.Problems(d.rows, imports.Listing{JobID: "0-old", Limit: 1})
	assert.Equal(t, "job_not_found", fault.As(err).Code)
	page, err := d.book.Problems(d.rows, imports.Listing{JobID: "1-young", Limit: 10})
	require.NoError(t, err)
	assert.Len(t, page.Problems, 5)
}

// BenchmarkProblems is what an import costs whose lines are all refused.
func BenchmarkProblems(b *testing.B) {
	for b.Loop() {
		d := newDesk(b)
		d.refuse("import", 10_000)
		b.ReportMetric(float64(d.written)/10_000, "rows/line")
	}
}

func TestAListOfProblemsThatIsNotThereIsNoEndlessOne(t *testing.T) {
	d := newDesk(t)
	d.refuse("import", 150)
	require.NoError(t, d.Delete(fmt.Sprintf("q/import/%06d", 1)))
	_, err := d.book.Problems(d.rows, imports.Listing{JobID: "import", Limit: corpus.MaxListed})
	assert.Equal(t, "problems_missing", fault.As(err).Code)
}
