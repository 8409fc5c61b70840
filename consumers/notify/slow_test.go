package notify_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/semaphore"

	"levada.dev/consumers"
	"levada.dev/consumers/notify"
	"levada.dev/events"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/corpus"
)

// connections is how many answers a Worker waits for at a time.
const connections = 6

// crowd is tenants whose servers answer after so long each; 0 never does.
type crowd struct {
	*testing.T
	consumer *notify.Consumer
	router   *consumers.Router
	answers  map[string]time.Duration // by host
	began    time.Time

	mu   sync.Mutex
	done map[string][]time.Duration // by host: when a message was answered
}

func newCrowd(t *testing.T, answers map[string]time.Duration) *crowd {
	c := &crowd{T: t, answers: answers, began: time.Now(), done: map[string][]time.Duration{}}
	var configs []tenants.Config
	for id := range answers {
		configs = append(configs, tenantstest.Config(t, id, func(c *tenants.Config) { c.Speech.Webhook = hook("https://"+id+".example.com/", "told-1") }))
	}
	vault := tenantstest.Vault(t, configs...)
	directory, _ := tenantstest.Directory(t, configs...)
	free := semaphore.NewWeighted(connections)
	c.consumer = notify.New(notify.Ports{Directory: directory, Secrets: tenantstest.Secrets(t, vault, configs...), Do: func(r *http.Request) (*http.Response, error) {
		if err := free.Acquire(r.Context(), 1); err != nil {
			return nil, err
		}
		defer free.Release(1)
		return c.serve(r)
	}}, nil)
	c.router = consumers.New(c.consumer.Routes(), nil, consumers.NewUndertaker(nil, corpus.Stores{}, nil, nil), nil)
	return c
}

func (c *crowd) serve(r *http.Request) (*http.Response, error) {
	host := r.URL.Host[:len(r.URL.Host)-len(".example.com")]
	after := c.answers[host]
	if after == 0 {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	select {
	case <-time.After(after):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done[host] = append(c.done[host], time.Since(c.began))
	return httptest.NewRecorder().Result(), nil
}

// message is an event of a tenant that names so many jobs.
func (c *crowd) message(tenant string, jobs int) consumers.Message {
	c.Helper()
	f := events.SpeechSynthesized{SpeechRef: ref, Bytes: 1_000, DurationMS: 2_500}
	for n := range jobs {
		f.Jobs = append(f.Jobs, fmt.Sprintf("job-%d", n))
	}
	ev, err := events.New(tenantstest.Scope(c, tenant), "speech", events.Cause{ID: "r-1"}, c.began, f)
	require.NoError(c, err)
	b, err := json.Marshal(ev)
	require.NoError(c, err)
	return consumers.Message{ID: tenant, Body: b, Attempts: 1}
}

// Two servers that never answer, or take seconds, hold up nobody else of their batch, although a Worker has six connections.
func TestASlowServerHoldsUpNobody(t *testing.T) {
	for _, slow := range []time.Duration{0, 9 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			c := newCrowd(t, map[string]time.Duration{"slow-one": slow, "slow-two": slow, "acme": 100 * time.Millisecond, "globex": 100 * time.Millisecond})
			verdicts := c.router.Handle(context.Background(), "notify", []consumers.Message{
				c.message("slow-one", 25), c.message("slow-two", 25), c.message("acme", 25), c.message("globex", 25),
			})
			for i, tenant := range []string{"slow-one", "slow-two", "acme", "globex"} {
				at := c.done[tenant]
				if i < 2 {
					assert.Equal(t, map[bool]consumers.Outcome{true: consumers.Retry, false: consumers.Done}[slow == 0], verdicts[i].Outcome)
					continue
				}
				assert.Equal(t, consumers.Done, verdicts[i].Outcome, "%v", verdicts[i].Err)
				require.Len(t, at, 25)
				assert.LessOrEqual(t, at[24], 2*time.Second, "%s, beside servers that answer after %s", tenant, slow)
			}
			assert.LessOrEqual(t, time.Since(c.began), 5*time.Minute)
			t.Logf("servers that answer after %s: the others' 25 notices each were told after %s, the batch took %s", slow, c.done["acme"][24], time.Since(c.began))
		})
	}
}
