package tenants

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"slices"
	"strings"

	"levada.dev/events/fault"
)

// The parts of an API key: "lv_<tenant>_<secret><checksum>". The prefix lets secret scanners find a leaked key, the
// checksum tells a mistyped one from an unknown one without asking anybody.
const (
	keyPrefix      = "lv_"
	keySecretBytes = 32
	keySecretChars = 43 // of base64url
	keyCheckChars  = 6
)

// NewKey makes an API key of a tenant out of 32 bytes of randomness (crypto/rand.Reader). Only its hash is to be
// stored.
func NewKey(random io.Reader, id ID) (string, error) {
	if _, err := ParseID(string(id)); err != nil {
		return "", err
	}
	var secret [keySecretBytes]byte
	if _, err := io.ReadFull(random, secret[:]); err != nil {
		return "", fmt.Errorf("api key: %w", err)
	}
	key := keyPrefix + string(id) + "_" + base64.RawURLEncoding.EncodeToString(secret[:])
	return key + keyChecksum(key), nil
}

// ParseKey checks the form and the checksum of an API key and returns the tenant it names. It says nothing about
// whether the key exists: that is for Directory.Key. The error is that of an unknown key, code unauthorized.
func ParseKey(key string) (ID, error) {
	rest, ok := strings.CutPrefix(key, keyPrefix)
	tenant, secret, hasSecret := strings.Cut(rest, "_")
	if !ok || !hasSecret || len(secret) != keySecretChars+keyCheckChars {
		return "", errUnauthorized()
	}
	body := key[:len(key)-keyCheckChars]
	id, err := ParseID(tenant)
	if err != nil || keyChecksum(body) != key[len(body):] {
		return "", errUnauthorized()
	}
	return id, nil
}

func errUnauthorized() error { return fault.Missing("unauthorized", "the API key is not known") }

func keyChecksum(s string) string {
	sum := crc32.ChecksumIEEE([]byte(s))
	return base64.RawURLEncoding.EncodeToString([]byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)})
}

// HashKey is the form in which an API key is stored and looked up: its SHA-256 in hexadecimal. A key holds 256
// random bits, so it needs no salt and no slow hash; and as the store compares hashes, which nobody can choose,
// the time of a look-up tells nothing about the keys there are.
func HashKey(key string) string {
	sum := sha256.Sum256([]byte(key))
	var text [2 * sha256.Size]byte
	hex.Encode(text[:], sum[:])
	return string(text[:])
}

// ParseScopes checks names of rights; the result is sorted and without repetition.
func ParseScopes(names []string) ([]APIScope, error) {
	scopes := make([]APIScope, 0, len(names))
	for i, name := range names {
		scope := APIScope(name)
		if !slices.Contains(AllScopes, scope) {
			return nil, fault.Invalidf(fmt.Sprintf("scopes[%d]", i), "scope_unknown", "no right is called %.40q", name).
				WithHint(didYouMean(name, AllScopes))
		}
		scopes = append(scopes, scope)
	}
	slices.Sort(scopes)
	return slices.Compact(scopes), nil
}

// Keys is API keys in clear, one for each tenant: what keys.json in the state folder of the local platform holds. That of Operator is one of the tenants' too,
// and opens all of them.
type Keys map[ID]string

// Operator is in Keys in the place of a tenant's id.
const Operator ID = "*"

// ParseKeys reads keys.json.
func ParseKeys(b []byte) (Keys, error) {
	var keys Keys
	if err := json.Unmarshal(b, &keys); err != nil {
		return nil, fault.New(fault.Invalid, "keys_invalid", "is not an object of tenants and keys", err)
	}
	for id, key := range keys {
		if owner, err := ParseKey(key); err != nil || owner != id && id != Operator {
			return nil, fault.Invalidf(string(id), "keys_invalid", "is not an API key of this tenant")
		}
	}
	return keys, nil
}

// JSON is keys.json.
func (k Keys) JSON() []byte {
	b, err := json.MarshalIndent(k, "", "  ")
	if err != nil {
		panic(err) // a map of strings
	}
	return append(b, '\n')
}

// Grants gives each key every right of its tenant, by hash, as Publish takes them.
func (k Keys) Grants(name string) map[string]Grant {
	grants := make(map[string]Grant, len(k))
	for id, key := range k {
		g := Grant{Tenant: id, Name: name, Scopes: slices.Clone(AllScopes)}
		if id == Operator {
			g.Tenant, _ = ParseKey(key) // ParseKeys has done so
			g.Name = "operator"
			g.Also = slices.DeleteFunc(slices.Sorted(maps.Keys(k)), func(id ID) bool { return id == Operator || id == g.Tenant })
		}
		grants[HashKey(key)] = g
	}
	return grants
}
