package intake_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/infra/memory"
	"levada.dev/producers/intake"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/corpus"
)

func drafts(n int) []corpus.Draft {
	list := make([]corpus.Draft, n)
	for i := range list {
		list[i] = draft()
		list[i].DocID, list[i].Text = fmt.Sprintf("doc-%04d", i), fmt.Appendf(nil, "text %d", i)
		list[i].Cause.IdempotencyKey, list[i].KeyAlone = fmt.Sprint("key", i), true
	}
	return list
}

func TestSubmitAll(t *testing.T) {
	acme, globex := tenantstest.Two(t)
	ledger, texts := memory.NewLedger(time.Now), &memory.Texts{}
	in := intake.New(texts, ledger, nil)
	calls := 0
	ledger.Before = func(string) error { calls++; return nil }
	list := drafts(250)
	list[3].Text = nil
	list[7].DocID = ""
	list[200] = list[10] // the same again
	outs, err := in.SubmitAll(t.Context(), acme, list)
	require.NoError(t, err)
	require.Len(t, outs, 250)
	assert.Equal(t, 3, calls, "a hundred in a call")
	assert.Equal(t, "document_empty", outs[3].Fault.Code)
	assert.True(t, outs[200].Replayed)
	assert.Equal(t, outs[10].JobID, outs[200].JobID)
	assert.NotEmpty(t, outs[7].DocID)
	last := ""
	for i, out := range outs {
		if i == 3 || i == 200 {
			continue
		}
		require.Nil(t, out.Fault)
		assert.Greater(t, out.JobID, last, "in their order")
		last = out.JobID
	}
	assert.Equal(t, 248, texts.Len(acme), "what nobody refers to is gone")

	changed := drafts(2)
	changed[0].Text = []byte("another")
	outs, err = in.SubmitAll(t.Context(), acme, changed)
	require.NoError(t, err)
	assert.True(t, outs[0].Replayed, "the key alone tells")
	outs, err = in.SubmitAll(t.Context(), globex, changed)
	require.NoError(t, err)
	assert.False(t, outs[0].Replayed)
	_, err = in.SubmitAll(t.Context(), tenants.Scope{}, changed)
	assert.ErrorIs(t, err, tenants.ErrNoScope)
	outs, err = in.SubmitAll(t.Context(), acme, nil)
	require.NoError(t, err)
	assert.Empty(t, outs)
}

func TestSubmitAllThatFailedIsRepeated(t *testing.T) {
	acme, _ := tenantstest.Two(t)
	broken := fault.Unavailablef(errors.New("reset"), "object_unavailable", "no answer")
	for name, arm := range map[string]func(*memory.Ledger, *memory.Texts, func(string) error){
		"texts before":  func(_ *memory.Ledger, x *memory.Texts, f func(string) error) { x.Before = f },
		"texts after":   func(_ *memory.Ledger, x *memory.Texts, f func(string) error) { x.After = f },
		"ledger before": func(l *memory.Ledger, _ *memory.Texts, f func(string) error) { l.Before = f },
		"ledger after":  func(l *memory.Ledger, _ *memory.Texts, f func(string) error) { l.After = f },
	} {
		ledger, texts := memory.NewLedger(time.Now), &memory.Texts{}
		in := intake.New(texts, ledger, nil)
		arm(ledger, texts, func(string) error { return broken })
		_, err := in.SubmitAll(t.Context(), acme, drafts(12))
		require.ErrorIs(t, err, broken, name)
		arm(ledger, texts, nil)
		outs, err := in.SubmitAll(t.Context(), acme, drafts(12))
		require.NoError(t, err, name)
		for i, out := range outs {
			require.Nil(t, out.Fault, name)
			docs, err := ledger.Documents(t.Context(), acme, []string{fmt.Sprintf("doc-%04d", i)})
			require.NoError(t, err)
			assert.Equal(t, 1, docs[0].Generation, name)
			_, err = texts.Get(t.Context(), acme, docs[0].TextKey)
			require.NoError(t, err, "%s: the text of what was taken is there", name)
		}
	}
}

// A document that is erased between the store and the ledger is stored and submitted again.
func TestSubmitAllAfterAnErasure(t *testing.T) {
	o := newOffice(t)
	o.clerk.refuse = func(n int) error {
		if n == 1 {
			return fault.New(fault.Conflict, "text_erased", "gone", nil)
		}
		return nil
	}
	outs, err := o.SubmitAll(context.Background(), o.scope, drafts(1))
	require.NoError(t, err)
	assert.Len(t, o.clerk.subs, 2)
	assert.Nil(t, outs[0].Fault)
	assert.Equal(t, "doc-0000", outs[0].DocID)
}
