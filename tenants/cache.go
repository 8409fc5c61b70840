package tenants

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"levada.dev/events/fault"
)

// Reader reads one published entry (Publish) by its key, such as a KV namespace does. An entry that does not exist is
// fault.NotFound. Safe for concurrent use.
type Reader interface {
	Read(ctx context.Context, key string) ([]byte, error)
}

// CachedDirectory is the Directory on a Reader, with a cache in the isolate.
//
// An answer is at most as old as the Reader's own staleness plus TTL (30 s), that nothing is known of a name at
// most NegativeTTL (5 s). On KV, whose writes take up to 60 s and more to be seen where a key was read before
// (https://developers.cloudflare.com/kv/concepts/how-kv-works/), a change or a revoked API key is in effect after
// about 90 s. While the Reader fails, or takes longer than a second, what it said last goes on being the answer, for StaleTTL at most:
// who is known here goes on when the Reader is down. Else failures of the Reader are not remembered. Callers that miss the same entry
// share one read; each waits no longer than its own ctx allows, and when the one that reads gives up, another one reads.
type CachedDirectory struct{ *cache }

var _ Directory = (*CachedDirectory)(nil)

// cache remembers what was read, under its key in the namespace, in the form that it was parsed into.
type cache struct {
	reader  Reader
	options DirectoryOptions

	mu         sync.Mutex
	young, old map[string]entry // see remember
	reads      map[string]*read
}

// DirectoryOptions changes how long and how much a CachedDirectory, or a CachedSecrets, remembers. The zero value is good.
type DirectoryOptions struct {
	Now         func() time.Time // time.Now
	TTL         time.Duration    // 30 s
	NegativeTTL time.Duration    // 5 s
	StaleTTL    time.Duration    // 15 min after TTL; negative: not at all
	Entries     int              // 4,096, at least 2
}

// patience is how long a read may take that a stale answer can take the place of.
const patience = time.Second

// entry is what the cache knows of a key until it expires: a value or the NotFound error.
type entry struct {
	value   any
	err     error
	expires time.Time
	stale   time.Time // until when it may take the place of a read that fails
}

// read is one look-up under way.
type read struct {
	done  chan struct{}
	value any
	err   error
	stale time.Time // of an answer that is not of this read
	// abandoned says that the caller that read gave up, which is no news for those who wait.
	abandoned bool
}

// NewDirectory returns the Directory on r. The options may be nil.
func NewDirectory(r Reader, o *DirectoryOptions) *CachedDirectory {
	return &CachedDirectory{newCache(r, o)}
}

func newCache(r Reader, o *DirectoryOptions) *cache {
	c := &cache{reader: r, young: map[string]entry{}, reads: map[string]*read{}}
	if o != nil {
		c.options = *o
	}
	if c.options.Now == nil {
		c.options.Now = time.Now
	}
	setDefault(&c.options.TTL, 30*time.Second)
	setDefault(&c.options.NegativeTTL, 5*time.Second)
	setDefault(&c.options.StaleTTL, 15*time.Minute)
	setDefault(&c.options.Entries, 4096)
	c.options.Entries = max(2, c.options.Entries)
	return c
}

// StaticDirectory is a Directory of configurations and API keys (grants by HashKey) that do not change.
func StaticDirectory(configs []Config, grants map[string]Grant) (*CachedDirectory, error) {
	entries, err := Publish(configs, grants, nil)
	if err != nil {
		return nil, err
	}
	return NewDirectory(entries, nil), nil
}

// Config implements Directory. Callers share the configuration and must not change it.
func (d *CachedDirectory) Config(ctx context.Context, id ID) (*Config, error) {
	if !isID(string(id)) {
		return nil, errTenant()
	}
	value, err := d.look(ctx, configKey+string(id), parseConfig, errTenant)
	if err != nil {
		return nil, err
	}
	c := value.(*Config)
	if c.ID != id {
		return nil, fault.New(fault.Internal, "config_invalid", "the configuration of "+string(id)+" is another tenant's", nil)
	}
	return c, nil
}

// Host implements Directory.
func (d *CachedDirectory) Host(ctx context.Context, host string) (ID, error) {
	if !IsHost(host) {
		return "", errTenant()
	}
	value, err := d.look(ctx, hostKey+host, func(b []byte) (any, error) { return ParseID(string(b)) }, errTenant)
	if err != nil {
		return "", err
	}
	return value.(ID), nil
}

// Prompt implements Directory. Callers share the prompt and must not change it.
func (d *CachedDirectory) Prompt(ctx context.Context, id ID, name string) (*Prompt, error) {
	if !isID(string(id)) || !isPrompt(name) {
		return nil, errPrompt()
	}
	value, err := d.look(ctx, promptKey+string(id)+"/"+name, func(b []byte) (any, error) {
		p, problems := ParsePrompt(name, string(b))
		return p, problems.Err()
	}, errPrompt)
	if err != nil {
		return nil, err
	}
	return value.(*Prompt), nil
}

// Prompts implements Directory. Callers share the names and must not change them.
func (d *CachedDirectory) Prompts(ctx context.Context, id ID) ([]string, error) {
	if !isID(string(id)) {
		return nil, nil
	}
	value, err := d.look(ctx, namesKey+string(id), func(b []byte) (any, error) {
		var names []string
		err := json.Unmarshal(b, &names)
		return names, err
	}, errPrompt)
	if fault.Is(err, fault.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return value.([]string), nil
}

func errPrompt() error { return fault.Missing("prompt_not_found", "the tenant has no such prompt") }

// Key implements Directory. Callers share the grant and must not change it.
func (d *CachedDirectory) Key(ctx context.Context, hash string) (*Grant, error) {
	if !IsHash(hash) {
		return nil, errUnauthorized()
	}
	value, err := d.look(ctx, grantKey+hash, parseGrant, errUnauthorized)
	if err != nil {
		return nil, err
	}
	return value.(*Grant), nil
}

// Tenants lists the pool's tenants, sorted. It is for what goes over all of them on a schedule. Callers share the list and must not change it.
func (d *CachedDirectory) Tenants(ctx context.Context) ([]ID, error) {
	value, err := d.look(ctx, listKey, parseList, errTenant)
	if err != nil {
		return nil, err
	}
	return value.([]ID), nil
}

func parseList(b []byte) (any, error) {
	var ids []ID
	if err := json.Unmarshal(b, &ids); err != nil {
		return nil, err
	}
	for _, id := range ids {
		if _, err := ParseID(string(id)); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

func parseConfig(b []byte) (any, error) { return Parse(b) }

func parseGrant(b []byte) (any, error) {
	var g Grant
	if err := json.Unmarshal(b, &g); err != nil {
		return nil, err
	}
	_, err := ParseID(string(g.Tenant))
	return &g, err
}

func errTenant() error { return fault.Missing("tenant_not_found", "there is no such tenant") }

// look answers from the cache, from a read under way, or by reading. What is not there has the error that missing makes: once,
// as a host name that is no tenant's is looked for by every request.
func (c *cache) look(ctx context.Context, key string, parse func([]byte) (any, error), missing func() error) (any, error) {
	for {
		c.mu.Lock()
		if e, ok := c.recall(key); ok {
			c.mu.Unlock()
			return e.value, e.err
		}
		r, underWay := c.reads[key]
		if !underWay {
			r = &read{done: make(chan struct{}), abandoned: true}
			c.reads[key] = r
		}
		c.mu.Unlock()
		if !underWay {
			c.read(ctx, key, r, parse, missing)
			return r.value, r.err
		}
		select {
		case <-r.done:
			if !r.abandoned {
				return r.value, r.err
			}
		case <-ctx.Done():
			return nil, fault.Unavailablef(ctx.Err(), "directory_unavailable", "the directory did not answer in time")
		}
	}
}

// read fills r and lets those who wait for it go on, also when the Reader panics.
func (c *cache) read(ctx context.Context, key string, r *read, parse func([]byte) (any, error), missing func() error) {
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.reads, key)
		if !r.abandoned {
			c.remember(key, r)
		}
		close(r.done)
	}()
	last, known := c.last(key)
	b, err := c.ask(ctx, key, known)
	switch {
	case err == nil:
		if r.value, err = parse(b); err != nil {
			r.value = nil
			err = fault.New(fault.Internal, "entry_invalid", "the published entry "+key+" cannot be read", err)
		}
	case fault.Is(err, fault.NotFound):
		err = missing()
	case known:
		r.value, r.stale, err = last.value, last.stale, last.err
	default:
		err = fault.Unavailablef(err, "directory_unavailable", "the directory does not answer")
	}
	r.err = err
	r.abandoned = ctx.Err() != nil && err != nil
}

// ask reads an entry, with patience when it is known what it was.
func (c *cache) ask(ctx context.Context, key string, known bool) ([]byte, error) {
	if known {
		short, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		ctx = short
	}
	return c.reader.Read(ctx, key)
}

// last is what the Reader said of a key, also that there is none, if that may still be used when it says nothing.
func (c *cache) last(key string) (entry, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.young[key]
	if !ok {
		e, ok = c.old[key]
	}
	return e, ok && c.options.Now().Before(e.stale)
}

// recall returns what the cache knows. The caller holds mu.
func (c *cache) recall(key string) (entry, bool) {
	e, ok := c.young[key]
	if !ok {
		if e, ok = c.old[key]; ok {
			c.keep(key, e)
		}
	}
	if !ok || !c.options.Now().Before(e.expires) {
		return entry{}, false
	}
	return e, true
}

// remember keeps the answer of a read if it is one. The caller holds mu.
func (c *cache) remember(key string, r *read) {
	now, ttl := c.options.Now(), c.options.TTL
	if r.err != nil {
		if !fault.Is(r.err, fault.NotFound) {
			return
		}
		ttl = c.options.NegativeTTL
	}
	if r.stale.IsZero() {
		r.stale = now.Add(ttl + c.options.StaleTTL)
	}
	c.keep(key, entry{r.value, r.err, now.Add(ttl), r.stale})
}

// keep puts an entry among the young. When these are half of what may be kept, they become the old, and the old
// ones that nobody asked for meanwhile are forgotten: a flood of unknown names pushes out no tenant in use.
func (c *cache) keep(key string, e entry) {
	if _, known := c.young[key]; !known && len(c.young) >= c.options.Entries/2 {
		c.old, c.young = c.young, make(map[string]entry)
	}
	c.young[key] = e
}
