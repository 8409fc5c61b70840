package llm_test

import (
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants/quota"
	"levada.dev/workflows/llm"
)

// A model that says nothing is given up after 30 to 60 seconds, wherever it falls silent, and paid for by estimate.
func TestAModelThatFallsSilent(t *testing.T) {
	for name, script := range map[string]string{
		"before its first word": `{"tokens":["one","two"],"firstDelayMs":7200000}`,
		"between two words":     `{"tokens":["one","two"],"delayMs":7200000}`,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, acme := newWorld(t), scope(t, "acme")
				o := dictated(t, script, cheap)
				o.Prompt.Stream = true
				began := time.Now()
				_, _, err := w.ask(t, acme, o)
				assert.Equal(t, fault.Unavailable, fault.KindOf(err))
				assert.Equal(t, llm.CodeBrokeOff, fault.As(err).Code)
				assert.GreaterOrEqual(t, time.Since(began), 30*time.Second)
				assert.LessOrEqual(t, time.Since(began), time.Minute)
				require.Len(t, w.gate.Used(acme), 1)
				assert.True(t, w.gate.Used(acme)[0].Estimated)
			})
		})
	}
}

// Each of the others gets its turn before the caller is told.
func TestTheNextModelIsAskedAfterSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, acme := newWorld(t), scope(t, "acme")
		o := dictated(t, `{"tokens":["one"],"firstDelayMs":7200000}`, cheap, other)
		_, _, err := w.ask(t, acme, o)
		assert.Equal(t, llm.CodeBrokeOff, fault.As(err).Code)
		assert.Equal(t, []string{cheap + " " + llm.CodeBrokeOff}, w.replaced)
		assert.Len(t, w.gate.Used(acme), 2, "both were at work")
	})
}

func TestWhatIsNotSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, acme := newWorld(t), scope(t, "acme")
		o := dictated(t, `{"tokens":["a","b","c","d","e"],"delayMs":29000}`, cheap)
		o.Prompt.Stream = true
		got, _, err := w.ask(t, acme, o)
		require.NoError(t, err)
		assert.Equal(t, "abcde", got.Text, "a model that is slow")

		a, err := w.Generate(t.Context(), acme, dictated(t, `{"tokens":["a","b"],"delayMs":1}`, cheap))
		require.NoError(t, err)
		time.Sleep(time.Hour)
		for err == nil {
			_, err = a.Next()
		}
		assert.ErrorIs(t, err, io.EOF, "a caller who is slow")
		require.NoError(t, a.Close())
		assert.Equal(t, []bool{false, false}, estimated(w.gate.Used(acme)))
	})
}

func estimated(uses []quota.Use) (out []bool) {
	for _, u := range uses {
		out = append(out, u.Estimated)
	}
	return out
}
