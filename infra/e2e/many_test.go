package e2e

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/dev/localai"
)

// chatter is one of many turns at once, and what its client does.
type chatter struct {
	tenant, session string
	answer          string
	patience        int  // how many tokens it listens to before it leaves; none if it stays
	returns         bool // after it left

	stream string
	heard  []happening
	err    error
}

// chatters are turns of two tenants whose sessions have the same names.
func chatters(n int, tenants [2]string) []*chatter {
	dice := rand.New(rand.NewPCG(1, 2))
	all := make([]*chatter, n)
	for i := range all {
		c := &chatter{tenant: tenants[i%2], session: fmt.Sprintf("session-%d", i/2)}
		if dice.IntN(2) == 0 {
			c.patience, c.returns = 1+dice.IntN(chatterTokens-2), dice.IntN(2) == 0
		}
		all[i] = c
	}
	return all
}

// chatterTokens is how long an answer is.
const chatterTokens = 20

// talk says something and listens as long as it likes.
func (c *chatter) talk(u user) {
	words := make([]string, chatterTokens)
	for i := range words {
		words[i] = fmt.Sprintf("%s/%s#%d ", c.tenant, c.session, i)
	}
	c.answer = strings.Join(words, "")
	message := script(map[string]any{
		"tokens": words, "delayMs": 40, "usage": map[string]int{"prompt": 7, "completion": chatterTokens},
	})
	s, err := u.say(message, map[string]any{"sessionId": c.session})
	if err != nil {
		c.err = err
		return
	}
	c.stream = s.Stream
	if c.patience == 0 {
		c.heard, c.err = s.rest()
		return
	}
	c.heard, c.err = s.some(c.patience)
	s.close()
	if !c.returns || c.err != nil || c.over() {
		return
	}
	back, err := u.resume(c.stream, c.heard[len(c.heard)-1].ID)
	if err != nil {
		c.err = err
		return
	}
	more, err := back.rest()
	c.heard, c.err = append(c.heard, more...), err
}

// over reports whether it has heard the end.
func (c *chatter) over() bool { return len(c.heard) > 0 && c.heard[len(c.heard)-1].final() }

// Five hundred turns at once, whose clients leave as they like: every answer is whole, nobody hears a word of another's,
// and every turn is settled and paid once.
func TestManyTurnsAtOnce(t *testing.T) {
	t.Parallel()
	n := 500
	if testing.Short() {
		n = 100
	}
	tenants := [2]string{"elm", "hazel"}
	all := chatters(n, tenants)
	var listening sync.WaitGroup
	for _, c := range all {
		listening.Go(func() { c.talk(as(t, c.tenant)) })
	}
	listening.Wait()
	for _, c := range all {
		require.NoError(t, c.err, "%+v", c)
		if c.over() {
			end := inOrder(t, c.heard)
			assert.Equal(t, "done", end.Type, "%s", end.Data)
			assert.Equal(t, c.answer, said(c.heard))
		} else {
			assert.True(t, strings.HasPrefix(c.answer, said(c.heard)), "%s is no beginning of %s", said(c.heard), c.answer)
		}
	}
	for _, tenant := range tenants {
		eventually(t, "everything is settled and told", func() bool {
			_, _, reserved := as(t, tenant).account().tokensToday()
			return reserved == 0
		})
		a := as(t, tenant).account()
		assert.EqualValues(t, n/2, a.Totals.Calls)
		assert.EqualValues(t, n/2*7, a.Totals.PromptTokens)
		assert.EqualValues(t, n/2*chatterTokens, a.Totals.CompletionTokens, "also of those whose client has left")
		assert.Zero(t, a.Totals.Estimated)
		logged := gatewayLog(t, tenant)
		assert.Len(t, logged, n/2, "every call is in the gateway's log, once")
		for _, call := range logged {
			assert.True(t, call.Success, "%+v", call)
		}
	}
	for _, c := range all {
		again, err := as(t, c.tenant).resume(c.stream, 0)
		require.NoError(t, err)
		kept, err := again.rest()
		require.NoError(t, err)
		end := inOrder(t, kept)
		assert.Equal(t, "done", end.Type, "%s", end.Data)
		assert.Equal(t, c.answer, said(kept), "also when its client has left")
	}
}

// gatewayLog is all that the gateway has logged of a tenant.
func gatewayLog(t *testing.T, tenant string) (all []localai.Log) {
	t.Helper()
	filters := `[{"key":"metadata.key","operator":"eq","value":["tenant_id"]},{"key":"metadata.value","operator":"eq","value":["` + tenant + `"]}]`
	for page := 1; ; page++ {
		var log struct{ Result []localai.Log }
		getJSON(t, fmt.Sprintf("%s/gateways/levada/logs?per_page=50&page=%d&filters=%s", platform.GatewayURL(), page, url.QueryEscape(filters)), &log)
		if len(log.Result) == 0 {
			return all
		}
		all = append(all, log.Result...)
	}
}
