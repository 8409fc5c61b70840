package localai

import (
	"net/http"
	"strings"
	"sync"
)

// Trouble is how calls go wrong while it lasts.
type Trouble struct {
	// Gateway says that the gateway answers in the model's place: no model is asked, and nothing is logged.
	Gateway bool
	// Model is what the models' names begin with, Tenant whose calls they are. Empty: all.
	Model, Tenant string
	// Status, Code and Text are the answer. Without a code it is not JSON, as of a server that stands before the one that was meant.
	Status, Code int
	Text         string
	// Times is how many calls meet it; 0 is each one until it ends.
	Times int
}

// What goes wrong of itself. The models' codes: https://developers.cloudflare.com/workers-ai/platform/errors/. Of a spend limit it is said that
// it answers 429; the code here is the one that the gateway has for its rate limits.
var (
	GatewayDown = Trouble{Gateway: true, Status: http.StatusBadGateway, Text: "<html><title>502 Bad Gateway</title></html>"}
	SpendLimit  = Trouble{Gateway: true, Status: http.StatusTooManyRequests, Code: 2003, Text: "Spend limit exceeded"}
	ModelsFail  = Trouble{Status: http.StatusInternalServerError, Code: 3043, Text: "Internal server error"}
	ModelsBusy  = Trouble{Status: http.StatusTooManyRequests, Code: 3040, Text: "Capacity temporarily exceeded, please try again."}
)

// Disturb has calls go wrong; it takes the place of what was told before, and none ends it.
func (s *Server) Disturb(all ...Trouble) {
	s.troubles.mu.Lock()
	defer s.troubles.mu.Unlock()
	s.troubles.all, s.troubles.met = all, make([]int, len(all))
}

// troubles are those of a server, and how many calls each has met.
type troubles struct {
	mu  sync.Mutex
	all []Trouble
	met []int
}

// of is the fault that a call meets at the gateway, or at the model.
func (t *troubles) of(c *call, gateway bool) *fault {
	t.mu.Lock()
	defer t.mu.Unlock()
	tenant := ""
	if c.gateway != nil {
		tenant, _ = c.gateway.Metadata["tenant_id"].(string)
	} else if gateway {
		return nil
	}
	for i, x := range t.all {
		if x.Gateway != gateway || !strings.HasPrefix(c.model, x.Model) || x.Tenant != "" && x.Tenant != tenant || x.Times > 0 && t.met[i] == x.Times {
			continue
		}
		t.met[i]++
		f := refuse(x.Code, x.Status, "%s", x.Text)
		if gateway {
			f.name = "AiGatewayError"
		}
		return f
	}
	return nil
}
