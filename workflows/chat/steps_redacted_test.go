package chat_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"levada.dev/infra/memory"
	"levada.dev/tenants"
	"levada.dev/tenants/quota/quotatest"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/chat"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/safety"
)

// What a model says before it calls tools is redacted as what it says after them, and the turn tells of both.
func TestStepsAreRedacted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sessions := memory.NewSessions(memory.NewShelf(time.Now), time.Now)
		generator := safety.NewGenerator(llm.NewGenerator(&memory.Model{}, &quotatest.Gate{}, nil))
		c := chat.New(chat.Ports{Sessions: sessions, Summaries: sessions, Generator: generator, Retriever: &shelf{}}, nil)
		for _, tenant := range []string{"acme", "globex"} {
			s := tenantstest.Scope(t, tenant)
			r := scripted(t, "s", script(step("I ask ada@example.com.", `echo {"a":1}`), step("She said so.")))
			r.Kit, r.Policy = kit(func(string, string) (string, error) { return `"ok"`, nil }), tenants.Safety{Answers: tenants.RedactOn}
			live, err := c.Start(t.Context(), s, r)
			if assert.NoError(t, err) {
				events := drain(t, live)
				assert.Equal(t, "I ask [EMAIL].\n\nShe said so.", whole(t, events))
				told := 0
				for _, e := range events {
					if e.Type == chat.Safety {
						told++
						assert.Contains(t, string(e.Data), `"redacted":["EMAIL"]`)
					}
				}
				assert.Equal(t, 1, told)
				kept, err := sessions.Last(t.Context(), s, "s", 10)
				assert.NoError(t, err)
				assert.Equal(t, "I ask [EMAIL].", kept[1].Content)
			}
		}
	})
}
