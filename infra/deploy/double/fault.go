package double

import (
	"net/http"
	"regexp"
)

// Fault makes requests fail.
type Fault struct {
	Method string         // any when empty
	Path   *regexp.Regexp // of the path below /client/v4; any when nil

	Status     int // 500 when 0
	Code       int
	Message    string
	RetryAfter string // the header's value
	Times      int    // how often: once when 0, for ever when negative
	Skip       int    // how many that match go by before

	// Lost has the effect, and then Status for an answer, or, when that is 0, none: the connection is cut.
	Lost bool
	// Before cuts the connection before any effect.
	Before bool
}

// Fail adds a fault. Of several that match the one that was added first goes first.
func (a *API) Fail(f Fault) {
	if f.Times == 0 {
		f.Times = 1
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.faults = append(a.faults, &f)
}

// Heal takes all faults away.
func (a *API) Heal() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.faults = nil
}

// faultFor is the fault whose turn it is. The lock is held.
func (a *API) faultFor(c *call) *Fault {
	for _, f := range a.faults {
		if f.Times == 0 || f.Method != "" && f.Method != c.Method || f.Path != nil && !f.Path.MatchString(c.URL.Path) {
			continue
		}
		if f.Skip > 0 {
			f.Skip--
			continue
		}
		if f.Times > 0 {
			f.Times--
		}
		return f
	}
	return nil
}

func (f *Fault) reply() reply {
	if f.Before || f.Lost && f.Status == 0 {
		return reply{cut: true}
	}
	r := refusal{f.Status, f.Code, f.Message}
	if r.status == 0 {
		r.status = http.StatusInternalServerError
	}
	if r.message == "" {
		r.message = http.StatusText(r.status)
	}
	answer := refused(&r)
	if f.RetryAfter != "" {
		answer.header.Set("Retry-After", f.RetryAfter)
	}
	return answer
}
