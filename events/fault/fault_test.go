package fault_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
)

var kinds = []fault.Kind{
	fault.Invalid, fault.Denied, fault.NotFound, fault.Conflict, fault.Limited, fault.Unavailable, fault.Internal,
}

func TestWireRoundTrip(t *testing.T) {
	for _, kind := range kinds {
		e := fault.New(kind, "some_code", "for people", io.EOF).WithHint("do this").WithRetryAfter(1500 * time.Millisecond)
		e.Field = "metadata.year"
		b, err := json.Marshal(e)
		require.NoError(t, err)
		assert.NotContains(t, string(b), "EOF", "the cause must not leave the process")

		var got fault.Error
		require.NoError(t, json.Unmarshal(b, &got))
		want := fault.New(kind, "some_code", "for people", nil).WithHint("do this").WithRetryAfter(1500 * time.Millisecond)
		want.Field = "metadata.year"
		assert.Equal(t, *want, got)
	}
}

func TestWireFormIsPinned(t *testing.T) {
	b, err := json.Marshal(fault.Invalidf("a.b", "x_invalid", "%d is too much", 5).WithHint("less"))
	require.NoError(t, err)
	assert.JSONEq(t, `{"kind":"invalid","code":"x_invalid","message":"5 is too much","field":"a.b","hint":"less"}`, string(b))
	b, err = json.Marshal(fault.Unavailablef(io.EOF, "x_down", "").WithRetryAfter(time.Second))
	require.NoError(t, err)
	assert.JSONEq(t, `{"kind":"unavailable","code":"x_down","retryAfterMs":1000}`, string(b))
}

func TestWireRefusesWhatIsNoError(t *testing.T) {
	for _, text := range []string{`{}`, `{"kind":"invalid"}`, `{"code":"x"}`, `[]`, `"x"`, `{"kind":5,"code":"x"}`} {
		var e fault.Error
		assert.Error(t, json.Unmarshal([]byte(text), &e), text)
	}
}

func TestAs(t *testing.T) {
	e := fault.Missing("document_not_found", "no document %q", "a")
	wrapped := fmt.Errorf("index: %w", fmt.Errorf("read: %w", e))
	assert.Same(t, e, fault.As(wrapped))
	assert.Equal(t, fault.NotFound, fault.KindOf(wrapped))
	assert.True(t, fault.Is(wrapped, fault.NotFound))
	assert.False(t, fault.Is(wrapped, fault.Invalid))
}

func TestAStrangersErrorIsInternal(t *testing.T) {
	got := fault.As(io.ErrUnexpectedEOF)
	assert.Equal(t, fault.Internal, got.Kind)
	assert.Equal(t, "internal", got.Code)
	assert.NotContains(t, got.Message, "EOF", "a stranger's text is not for users")
	assert.ErrorIs(t, got, io.ErrUnexpectedEOF)
	assert.False(t, fault.Is(nil, fault.Internal))
}

func TestRetryable(t *testing.T) {
	want := map[fault.Kind]bool{fault.Limited: true, fault.Unavailable: true, fault.Internal: true}
	for _, kind := range kinds {
		assert.Equal(t, want[kind], fault.Retryable(fault.New(kind, "c", "", nil)), kind)
	}
	assert.True(t, fault.Retryable(context.DeadlineExceeded))
}

func TestTheCauseIsForOperators(t *testing.T) {
	e := fault.Unavailablef(io.EOF, "queue_unavailable", "the queue %s does not answer", "embed")
	assert.Equal(t, "queue_unavailable: the queue embed does not answer: EOF", e.Error())
	assert.ErrorIs(t, e, io.EOF)
	assert.Equal(t, "x_invalid at a.b: no", fault.Invalidf("a.b", "x_invalid", "no").Error())
}

func TestCopiesLeaveTheOriginalAlone(t *testing.T) {
	e := fault.New(fault.Limited, "rate_limited", "slow down", nil)
	later := e.WithRetryAfter(time.Second).WithHint("wait")
	assert.Zero(t, e.RetryAfter)
	assert.Empty(t, e.Hint)
	assert.Equal(t, time.Second, later.RetryAfter)
	assert.Equal(t, "wait", later.Hint)
}

func ExampleAs() {
	read := func() error { return fault.Missing("document_not_found", "no document %q", "guide.md") }
	err := fmt.Errorf("GET /documents/guide.md: %w", read())
	switch e := fault.As(err); e.Kind {
	case fault.NotFound:
		fmt.Println(404, e.Code, e.Message)
	default:
		fmt.Println(500, errors.Unwrap(e))
	}
	// Output: 404 document_not_found no document "guide.md"
}
