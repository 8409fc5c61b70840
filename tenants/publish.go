package tenants

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"levada.dev/events/fault"
	"levada.dev/tenants/seal"
)

// The keys of what is published. They belong to the pool, not to a tenant: a Directory reads them before anybody was
// admitted.
const (
	configKey = "config/"  // + tenant id: the configuration, JSON
	hostKey   = "host/"    // + host name: the tenant id
	grantKey  = "key/"     // + HashKey: the grant, JSON
	promptKey = "prompt/"  // + tenant id, "/" and the prompt's name: its text
	namesKey  = "prompts/" // + tenant id: the names of its prompts, JSON; only where there are some
	listKey   = "tenants"  // the ids of all tenants, JSON
	secretKey = "secret/"  // + tenant id, "/" and the secret's name: sealed
)

// HashEntry is the key of the content hash of all the others. Whoever publishes writes it last.
const HashEntry = "hash"

// Entries is the published form of a pool's tenants: what is written to KV, key by key. It is a Reader, so that
// tests and the memory platform read what production reads.
type Entries map[string][]byte

var _ Reader = Entries(nil)

// Read implements Reader.
func (e Entries) Read(_ context.Context, key string) ([]byte, error) {
	value, ok := e[key]
	if !ok {
		return nil, fault.Missing("entry_not_found", "nothing is published under %s", key)
	}
	return value, nil
}

// IDs are the tenants that are published, sorted.
func (e Entries) IDs() []ID {
	var all []ID
	for key := range e {
		if id, is := strings.CutPrefix(key, configKey); is {
			all = append(all, ID(id))
		}
	}
	slices.Sort(all)
	return all
}

// Grants are the API keys that are published, by HashKey.
func (e Entries) Grants() (map[string]Grant, error) {
	all := map[string]Grant{}
	for key, value := range e {
		hash, is := strings.CutPrefix(key, grantKey)
		if !is {
			continue
		}
		var g Grant
		if err := json.Unmarshal(value, &g); err != nil {
			return nil, fault.New(fault.Internal, "grant_encoding", "a published API key", err)
		}
		all[hash] = g
	}
	return all, nil
}

// Hash is the content hash: two sets of entries have the same exactly when nothing needs to be published.
func (e Entries) Hash() string { return string(e[HashEntry]) }

// Publish encodes configurations, API keys (grants by HashKey) and the secrets that the configurations name as entries. Without a
// vault no secrets are published, and their sources answer nobody. The configurations must be valid
// together, which tenants/validate makes sure; what would lead a request to a wrong tenant is refused here, too.
// To publish is to make the namespace equal to the entries: a key that is not among them has to be deleted, or a
// revoked API key lives on.
func Publish(configs []Config, grants map[string]Grant, vault *Vault) (Entries, error) {
	entries := Entries{}
	var key seal.Key
	if vault != nil {
		var err error
		if key, err = seal.ParseKey(vault.SealKey); err != nil {
			return nil, fmt.Errorf("the key that seals secrets: %w", err)
		}
	}
	for _, c := range configs {
		c.Schema = ""
		c.Defaults()
		if err := c.Check(); err != nil {
			return nil, fmt.Errorf("tenant %s: %w", c.ID, err)
		}
		if err := c.promptProblems().Err(); err != nil {
			return nil, fmt.Errorf("tenant %s: %w", c.ID, err)
		}
		for name, text := range c.Prompts {
			if err := entries.add(promptKey+string(c.ID)+"/"+name, []byte(text)); err != nil {
				return nil, err
			}
		}
		if len(c.Prompts) > 0 {
			names, err := json.Marshal(slices.Sorted(maps.Keys(c.Prompts)))
			if err != nil {
				return nil, fault.New(fault.Internal, "config_encoding", string(c.ID), err)
			}
			if err := entries.add(namesKey+string(c.ID), names); err != nil {
				return nil, err
			}
		}
		value, err := json.Marshal(c)
		if err != nil {
			return nil, fault.New(fault.Internal, "config_encoding", string(c.ID), err)
		}
		if err := entries.add(configKey+string(c.ID), value); err != nil {
			return nil, err
		}
		for _, host := range c.AllowedHosts {
			if err := entries.add(hostKey+host, []byte(c.ID)); err != nil {
				return nil, err
			}
		}
		if vault != nil {
			if err := vault.add(entries, key, &c); err != nil {
				return nil, err
			}
		}
	}
	for hash, grant := range grants {
		if _, ok := entries[configKey+string(grant.Tenant)]; !ok {
			return nil, fault.Invalidf("", "grant_invalid", "the API key %q is of %q, which is not published", grant.Name, grant.Tenant)
		}
		for _, id := range grant.Also {
			if _, ok := entries[configKey+string(id)]; !ok {
				return nil, fault.Invalidf("", "grant_invalid", "the API key %q of %s also opens %q, which is not published here", grant.Name, grant.Tenant, id)
			}
		}
		if !IsHash(hash) {
			return nil, fault.Invalidf("", "grant_invalid", "the API key %q is not hashed", grant.Name)
		}
		value, err := json.Marshal(grant)
		if err != nil {
			return nil, fault.New(fault.Internal, "grant_encoding", grant.Name, err)
		}
		entries[grantKey+hash] = value
	}
	ids, err := json.Marshal(slices.Sorted(listed(configs)))
	if err != nil {
		return nil, fault.New(fault.Internal, "config_encoding", "the list of tenants", err)
	}
	if err := entries.add(listKey, ids); err != nil {
		return nil, err
	}
	entries[HashEntry] = []byte(contentHash(entries))
	return entries, nil
}

// listed are the tenants of configurations.
func listed(configs []Config) iter.Seq[ID] {
	return func(yield func(ID) bool) {
		for _, c := range configs {
			if !yield(c.ID) {
				return
			}
		}
	}
}

func (e Entries) add(key string, value []byte) error {
	if _, taken := e[key]; taken {
		return fault.Invalidf("", "config_invalid", "%s is published twice", key)
	}
	e[key] = value
	return nil
}

func contentHash(e Entries) string {
	h := sha256.New()
	var size [8]byte
	for _, key := range slices.Sorted(maps.Keys(e)) {
		for _, part := range [][]byte{[]byte(key), e[key]} {
			binary.BigEndian.PutUint64(size[:], uint64(len(part)))
			h.Write(size[:])
			h.Write(part)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// IsHash reports whether s has the form of what HashKey gives.
func IsHash(s string) bool {
	if len(s) != hex.EncodedLen(sha256.Size) {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
