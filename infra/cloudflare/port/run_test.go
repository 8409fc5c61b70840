package port

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"levada.dev/events/fault"
	"levada.dev/tenants/tenantstest"
)

func TestInstanceIDs(t *testing.T) {
	acme, globex := tenantstest.Two(t)
	long := tenantstest.Scope(t, strings.Repeat("a", 32))
	allowed := regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9-_]{0,99}$`)
	seen := map[string]bool{}
	for _, id := range []string{"", "1", "a/b", strings.Repeat("é", 300), "acme-1"} {
		for _, got := range []string{instanceID(acme, id), instanceID(globex, id), instanceID(long, id)} {
			assert.Regexp(t, allowed, got)
			assert.False(t, seen[got], got)
			seen[got] = true
		}
		assert.Equal(t, instanceID(acme, id), instanceID(acme, id))
	}
}

func TestWhatIsKeptOfAStep(t *testing.T) {
	for _, result := range []string{"", "{}", "9007199254740993", "\xff\x00", "\ufffd"} {
		got, err := keep([]byte(result)).outcome()
		assert.NoError(t, err)
		assert.Equal(t, result, string(got))
	}
}

func TestAFaultComesBackFromTheText(t *testing.T) {
	f := fault.Unavailablef(errors.New("reset"), "store_unavailable", "no\nfault {").WithRetryAfter(time.Second).WithHint("later")
	thrown := errors.New("WorkflowFatalError: " + stepError{f}.Error() + "\n    at step.do")
	got := fault.As(faultOf(thrown))
	if assert.Equal(t, "store_unavailable", got.Code) {
		assert.Equal(t, []any{fault.Unavailable, time.Second, "later"}, []any{got.Kind, got.RetryAfter, got.Hint})
	}
	got = fault.As(faultOf(errors.New("Execution timed out after 600000ms")))
	assert.Equal(t, "step_failed", got.Code)
	assert.Equal(t, fault.Internal, fault.As(faultOf(errors.New(stepError{errors.New("stranger")}.Error()))).Kind)
}
