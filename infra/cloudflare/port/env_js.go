package port

import (
	"strconv"
	"syscall/js"

	"github.com/syumai/workers/cloudflare"

	"levada.dev/events"
	"levada.dev/infra/cloudflare/isolate"
	"levada.dev/infra/cloudflare/queue"
	"levada.dev/infra/cloudflare/vectorize"
	"levada.dev/infra/stack"
	"levada.dev/tenants/seal"
	"levada.dev/workflows/llm"
)

// Queues opens the queue of each stage under the names of the stack.
func Queues() Sender {
	return NewSender(map[events.Stage]queue.Producer{
		events.StageFetch:  queue.Open("FETCH"),
		events.StageIngest: queue.Open("INGEST"),
		events.StageEmbed:  queue.Open("EMBED"),
		events.StageIndex:  queue.Open("INDEX"),
		events.StageSpeech: queue.Open("SPEECH_QUEUE"),
		events.StageNotify: queue.Open("NOTIFY"),
		events.StageAudit:  queue.Open("AUDIT_QUEUE"),
	})
}

// Audit opens the queue of what is told for the audit trail alone.
func Audit() Sender {
	return NewSender(map[events.Stage]queue.Producer{events.StageAudit: queue.Open("AUDIT_QUEUE")})
}

// Indexes opens the index of each embedding model under the names of the stack: VECTORS_BGE_M3.
func Indexes() Vectors {
	indexes := map[string]vectorize.Index{}
	for _, m := range llm.EmbeddingModels() {
		indexes[m.Name] = vectorize.Open(stack.VectorsBinding(m.Slug))
	}
	return NewVectors(indexes)
}

// Var is a text variable of the Worker, or def when it has none.
func Var(name, def string) string {
	if v := cloudflare.Getenv(name); v != "" {
		return v
	}
	return def
}

// Deployed is which version of the Worker this is: its id, and the release it was uploaded for. Both are empty where nobody deployed it.
func Deployed() (id, release string) {
	v := isolate.EnvValue().Get(stack.VersionBinding)
	if v.Type() != js.TypeObject {
		return "", ""
	}
	text := func(name string) string {
		if s := v.Get(name); s.Type() == js.TypeString {
			return s.String()
		}
		return ""
	}
	return text("id"), text("tag")
}

// SealKey is the key that the tenants' secrets are sealed with, of the secret of that name. Without one it opens nothing. It panics
// when the secret is no key, as Int does, and does not say what it is.
func SealKey() seal.Key {
	text, ok := isolate.Env(stack.SealKey)
	if !ok {
		return seal.Key{}
	}
	key, err := seal.ParseKey(text)
	if err != nil {
		panic("secret " + stack.SealKey + ": " + err.Error())
	}
	return key
}

// Int is a text variable of the Worker that holds a number, or def when it has none. It panics when it holds anything
// else: a Worker that was deployed with a mistake must not run with another limit than was meant.
func Int(name string, def int64) int64 {
	v := cloudflare.Getenv(name)
	if v == "" {
		return def
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil {
		panic("variable " + name + ": not a number: " + v)
	}
	return n
}
