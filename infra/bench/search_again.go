package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"levada.dev/infra/bench/library"
	"levada.dev/infra/client"
	"levada.dev/infra/local"
	"levada.dev/infra/stack"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/rag"
)

// SearchAgain is what an equal search takes by where its result is.
type SearchAgain struct {
	KV     Spread `json:"kv"`     // where the isolate has not found it itself, or has forgotten it
	Memory Spread `json:"memory"` // right after that
}

// forgotten is more than an isolate keeps of results: what was found before that many bytes of others is not in its memory any more.
const forgotten = 6 << 20

// again asks questions whose results are in KV and in no memory, and each again at once. The isolate is made to forget them by other questions, so
// that it is as warm as one that has been serving for a while.
func (x Search) again(ctx context.Context, l *local.Local, language library.Library, a *asker) (*SearchAgain, error) {
	x.Progress("waiting until what is found lives longer than ten seconds")
	if err := client.Sleep(ctx, corpus.Settling); err != nil {
		return nil, err
	}
	x.Progress(fmt.Sprintf("asking %d questions whose results are in KV alone", x.Questions))
	for i := range x.Questions {
		if err := a.remember(ctx, language.Question(i, a.docs), rag.Hybrid); err != nil {
			return nil, err
		}
	}
	for i, bytes := 0, 0; bytes < forgotten; i++ {
		one, err := a.ask(ctx, language.Question(20*x.Questions+i, a.docs), rag.Hybrid, false)
		if err != nil {
			return nil, err
		}
		bytes += one.bytes
	}
	before, err := l.Meter(ctx, stack.API)
	if err != nil {
		return nil, err
	}
	var kv, memory []time.Duration
	for i := range x.Questions {
		for _, took := range []*[]time.Duration{&kv, &memory} {
			one, err := a.ask(ctx, language.Question(i, a.docs), rag.Hybrid, false)
			if err != nil {
				return nil, err
			}
			if !one.cached {
				return nil, errors.New("a question that was asked again was not answered from the cache")
			}
			*took = append(*took, one.took)
		}
	}
	after, err := l.Meter(ctx, stack.API)
	if err != nil {
		return nil, err
	}
	if read := after.Operations["kv.get"] - before.Operations["kv.get"]; read < x.Questions || read >= 2*x.Questions {
		return nil, fmt.Errorf("%d values were read of KV for %d questions, each asked twice: not once for each", read, x.Questions)
	}
	return &SearchAgain{spread(kv), spread(memory)}, nil
}
