package tenants

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"levada.dev/events/fault"
	"levada.dev/tenants/seal"
)

// Secrets keeps what a tenant shares with its sources and with whom it is told by, and what outside servers gave it for its tools.
//
// It answers from published, sealed values, possibly through a cache, so an answer may be stale as a Directory's may. A
// secret that is not published and another tenant's are fault.NotFound, code secret_not_found. Safe for concurrent use.
type Secrets interface {
	Secret(ctx context.Context, s Scope, name string) (string, error)
}

// The parts of a secret that signs webhooks, as Standard Webhooks has it: "whsec_" and the base64 of 24 to 64 bytes.
// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#signature-scheme
const (
	secretPrefix   = "whsec_"
	minSecretBytes = 24
	maxSecretBytes = 64
	newSecretBytes = 32
)

// NewSecret makes a secret out of 32 bytes of randomness (crypto/rand.Reader).
func NewSecret(random io.Reader) (string, error) {
	var b [newSecretBytes]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fmt.Errorf("secret: %w", err)
	}
	return secretPrefix + base64.StdEncoding.EncodeToString(b[:]), nil
}

// ParseSecret is the key that a secret stands for. The error does not quote it.
func ParseSecret(secret string) ([]byte, error) {
	text, ok := strings.CutPrefix(secret, secretPrefix)
	key, err := base64.StdEncoding.DecodeString(text)
	if !ok || err != nil || len(key) < minSecretBytes || len(key) > maxSecretBytes {
		return nil, fault.Invalidf("", "secret_invalid", "is not %s and the base64 of %d to %d bytes", secretPrefix, minSecretBytes, maxSecretBytes)
	}
	return key, nil
}

// Vault is secrets in clear, by tenant and name, and the key that seals them: what secrets.json in the state folder of the
// local platform holds, and the vault of a deployed pool.
type Vault struct {
	SealKey string                   `json:"sealKey"` // of seal.NewKey
	Secrets map[ID]map[string]string `json:"secrets"`
}

// ParseVault reads a vault. A secret that one of the configurations names has to be of its kind; of any other it is not known what it is for. The
// error names what is wrong and quotes no secret.
func ParseVault(b []byte, configs []Config) (*Vault, error) {
	var v Vault
	if err := json.Unmarshal(b, &v); err != nil {
		return nil, fault.New(fault.Invalid, "vault_invalid", "is not an object of a key and secrets", nil)
	}
	if _, err := seal.ParseKey(v.SealKey); err != nil {
		return nil, fault.Invalidf("sealKey", "vault_invalid", "%s", fault.As(err).Message)
	}
	for _, id := range slices.Sorted(maps.Keys(v.Secrets)) {
		for _, name := range slices.Sorted(maps.Keys(v.Secrets[id])) {
			if err := kindOfSecret(configs, id, name).Check(v.Secrets[id][name]); err != nil {
				return nil, fault.Invalidf("secrets."+string(id)+"."+name, "vault_invalid", "%s", fault.As(err).Message)
			}
		}
	}
	return &v, nil
}

// kindOfSecret is that of a tenant's secret; what nobody names may have the form of any, which is that of a tool's.
func kindOfSecret(configs []Config, id ID, name string) SecretKind {
	for _, c := range configs {
		if c.ID != id {
			continue
		}
		for _, need := range c.Secrets() {
			if need.Name == name {
				return need.Kind
			}
		}
	}
	return ToolSecret
}

// JSON is secrets.json.
func (v *Vault) JSON() []byte {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		panic(err) // texts in maps
	}
	return append(b, '\n')
}

// Complete makes what is missing and can be made: the key, and a secret for each name that sources and webhooks of the configurations list. It reports
// whether there was anything to make. What nobody names any more stays: it may be named again. Secrets of tools are given by others: Set.
func (v *Vault) Complete(random io.Reader, configs []Config) (made bool, err error) {
	if v.SealKey == "" {
		if v.SealKey, err = seal.NewKey(random); err != nil {
			return false, err
		}
		made = true
	}
	for _, c := range configs {
		for _, need := range c.Secrets() {
			if !need.Kind.Made() || v.Secrets[c.ID][need.Name] != "" {
				continue
			}
			secret, err := NewSecret(random)
			if err != nil {
				return made, err
			}
			v.Set(c.ID, need.Name, secret)
			made = true
		}
	}
	return made, nil
}

// StandIn makes values up for the secrets of tools that are missing, where no server is meant to take them: on the local platform and in tests.
// It reports whether any was.
func (v *Vault) StandIn(random io.Reader, configs []Config) (made bool, err error) {
	for _, c := range configs {
		for _, need := range c.Secrets() {
			if need.Kind.Made() || v.Secrets[c.ID][need.Name] != "" {
				continue
			}
			var b [newSecretBytes]byte
			if _, err := io.ReadFull(random, b[:]); err != nil {
				return made, fmt.Errorf("secret: %w", err)
			}
			v.Set(c.ID, need.Name, "made-up-"+base64.RawURLEncoding.EncodeToString(b[:]))
			made = true
		}
	}
	return made, nil
}

// Set puts a secret in, in place of one of that name.
func (v *Vault) Set(id ID, name, secret string) {
	if v.Secrets == nil {
		v.Secrets = map[ID]map[string]string{}
	}
	if v.Secrets[id] == nil {
		v.Secrets[id] = map[string]string{}
	}
	v.Secrets[id][name] = secret
}

// add publishes the secrets that a configuration names, sealed.
func (v *Vault) add(entries Entries, key seal.Key, c *Config) error {
	for _, need := range c.Secrets() {
		name := need.Name
		secret, ok := v.Secrets[c.ID][name]
		if !ok {
			return fault.Invalidf("", "secret_missing", "the secret %q of %q, which a %s needs, has no value", name, c.ID, need.Kind)
		}
		if err := need.Kind.Check(secret); err != nil {
			return fmt.Errorf("the secret %q of %q: %w", name, c.ID, err)
		}
		sealed, err := key.Seal(secret, string(c.ID), name)
		if err != nil {
			return err
		}
		if err := entries.add(secretEntry(c.ID, name), []byte(sealed)); err != nil {
			return err
		}
	}
	return nil
}

func secretEntry(id ID, name string) string { return secretKey + string(id) + "/" + name }

// CachedSecrets is the Secrets on a Reader of sealed values, with a cache in the isolate like a CachedDirectory's.
type CachedSecrets struct {
	*cache
	key seal.Key
}

var _ Secrets = (*CachedSecrets)(nil)

// NewSecrets returns the Secrets on r. With the zero Key every answer is fault.Unavailable. The options may be nil.
func NewSecrets(r Reader, key seal.Key, o *DirectoryOptions) *CachedSecrets {
	return &CachedSecrets{newCache(r, o), key}
}

// Secret implements Secrets.
func (c *CachedSecrets) Secret(ctx context.Context, s Scope, name string) (string, error) {
	if err := s.Check(); err != nil {
		return "", err
	}
	if err := c.key.Check(); err != nil {
		return "", err
	}
	if !isID(name) {
		return "", errSecret()
	}
	open := func(b []byte) (any, error) { return c.key.Open(string(b), string(s.Tenant()), name) }
	value, err := c.look(ctx, secretEntry(s.Tenant(), name), open, errSecret)
	if err != nil {
		return "", err
	}
	return value.(string), nil
}

func errSecret() error { return fault.Missing("secret_not_found", "there is no such secret") }
