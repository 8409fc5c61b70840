package localai

import (
	"crypto/sha256"
	"sync"
	"time"
)

// cache keeps whole answers by gateway and key, in memory: a restart forgets them.
// Streams are not kept.
type cache struct {
	mu      sync.Mutex
	answers map[[sha256.Size]byte]cached
}

type cached struct {
	answer *answer
	until  time.Time
}

// key is the caller's own where it gave one: everybody who sends it shares it.
func (g *gatewayOptions) key(model string, inputs []byte) [sha256.Size]byte {
	h := sha256.New()
	h.Write([]byte(g.ID + "\x00"))
	if g.CacheKey != "" {
		h.Write([]byte("key\x00" + g.CacheKey))
	} else {
		h.Write([]byte("body\x00" + model + "\x00"))
		h.Write(inputs)
	}
	return [sha256.Size]byte(h.Sum(nil))
}

func (c *cache) get(key [sha256.Size]byte, now time.Time) *answer {
	c.mu.Lock()
	defer c.mu.Unlock()
	kept, found := c.answers[key]
	if !found || !now.Before(kept.until) {
		delete(c.answers, key)
		return nil
	}
	return kept.answer
}

func (c *cache) put(key [sha256.Size]byte, a *answer, until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.answers == nil {
		c.answers = map[[sha256.Size]byte]cached{}
	}
	c.answers[key] = cached{a, until}
}
