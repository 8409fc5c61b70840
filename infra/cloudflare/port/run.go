package port

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/flow"
)

// runParams is what a run is started with: whose it is, and its flow's own parameters.
type runParams struct {
	Tenant string          `json:"tenant"`
	ID     string          `json:"id"`
	Params json.RawMessage `json:"params"`
	Trace  string          `json:"traceparent,omitempty"` // of what started it
}

// instanceID is the name of a run among all of its Workflow's: at most 100 letters, digits, hyphens and underscores, a letter first. It
// begins with the tenant for people; what makes it the tenant's own is the hash.
// https://developers.cloudflare.com/workflows/reference/limits/
func instanceID(s tenants.Scope, id string) string {
	sum := sha256.Sum256([]byte(s.Object("runs") + "\x00" + id))
	return string(s.Tenant()) + "-" + base64.RawURLEncoding.EncodeToString(sum[:])
}

// kept is what the engine keeps of a step: what it returned, word for word, as text where it is text, for whoever looks at the run. A refusal
// is a result, too: the engine would keep the exception for a retryable step only, and try a step that was refused once more after a restart.
type kept struct {
	Text  string       `json:"text,omitempty"`
	Bytes []byte       `json:"bytes,omitempty"`
	Fault *fault.Error `json:"fault,omitempty"`
}

func keep(result []byte) kept {
	if utf8.Valid(result) {
		return kept{Text: string(result)}
	}
	return kept{Bytes: result}
}

func (k kept) outcome() ([]byte, error) {
	switch {
	case k.Fault != nil:
		return nil, k.Fault
	case k.Text != "":
		return []byte(k.Text), nil
	}
	return k.Bytes, nil
}

// stepError is an exception of a step that may be tried again. Its text is all that comes back when it is not: the fault as data, after
// what people read.
type stepError struct{ err error }

func (e stepError) Error() string {
	data, err := json.Marshal(fault.As(e.err))
	if err != nil {
		return e.err.Error()
	}
	return e.err.Error() + faultMark + string(data)
}

const faultMark = "\nfault "

// faultOf finds a step's fault in what the engine threw. What has none is the engine's own: a step that took too long, a run that was stopped.
func faultOf(err error) error {
	text := err.Error()
	if at := strings.LastIndex(text, faultMark); at >= 0 {
		var f fault.Error
		if json.NewDecoder(strings.NewReader(text[at+len(faultMark):])).Decode(&f) == nil {
			return &f
		}
	}
	return fault.Unavailablef(err, "step_failed", "a step did not end")
}

// timedOut reports whether what the engine threw says that no event came.
func timedOut(err error) bool { return strings.Contains(err.Error(), "timed out") }

// over reports whether a run in the state takes no signals any more.
func over(status string) bool {
	return status == "complete" || status == "errored" || status == "terminated"
}

func errNoRun(cause error) error {
	return fault.New(fault.NotFound, "run_not_found", "there is no such run, or it has ended", cause)
}

// errFlow is what a Worker says that is asked for a flow it does not know.
func errFlow(k flow.Kind) error {
	return fault.New(fault.Internal, "flow_unknown", "this Worker has no flow "+string(k), nil)
}
