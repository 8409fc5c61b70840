package fleet

import (
	"context"
	"strings"
	"sync"

	"golang.org/x/time/rate"

	"levada.dev/infra/deploy/account"
)

// How fast a token may be: the API takes 1,200 requests in any five minutes and then blocks for as long. So many at once, and then so many
// a second, make just that in the worst five minutes.
// https://developers.cloudflare.com/fundamentals/api/reference/limits/
const (
	tokenBurst  = 300
	tokenPerSec = 3
)

// How fast an address may be: 200 requests in any second.
const (
	allBurst  = 50
	allPerSec = 150
)

// paces has a limiter for each token, and one for all of them.
type paces struct {
	all *rate.Limiter

	mu     sync.Mutex
	tokens map[string]*rate.Limiter // by the token's reference
}

func newPaces() *paces {
	return &paces{all: rate.NewLimiter(allPerSec, allBurst), tokens: map[string]*rate.Limiter{}}
}

// of is the pace of a token.
func (p *paces) of(token string) account.Pace {
	p.mu.Lock()
	defer p.mu.Unlock()
	own := p.tokens[token]
	if own == nil {
		own = rate.NewLimiter(tokenPerSec, tokenBurst)
		p.tokens[token] = own
	}
	return pace{own, p.all}
}

// pace is several limiters, each of which has to agree.
type pace []*rate.Limiter

func (p pace) Wait(ctx context.Context) error {
	for _, l := range p {
		if err := l.Wait(ctx); err != nil {
			return err
		}
	}
	return nil
}

// isReal reports whether an address is that of the API itself, and not of its double.
func isReal(url string) bool {
	return url == "" || strings.TrimSuffix(url, "/") == strings.TrimSuffix(account.DefaultURL, "/")
}
