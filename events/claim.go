package events

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"levada.dev/events/fault"
	"levada.dev/tenants"
)

// claimPrefix is what every dataref starts with; it is a relative URI-reference, as the dataref extension wants.
// https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/extensions/dataref.md
const claimPrefix = "claims/"

// claimed is the event as it travels when its data does not. The name holds the event's id and the digest of the
// data: a handler that runs again puts the same name, and one that computes other bytes the second time does
// not pull them away under the first event.
func claimed(e Event) Event {
	e.DataRef = claimPrefix + e.ID + "." + digest(e.Data)
	e.Data = nil
	return e
}

// putClaim stores the data of an event under the name that claimed refers to.
func putClaim(ctx context.Context, claims Claims, s tenants.Scope, e Event) error {
	name := strings.TrimPrefix(claimed(e).DataRef, claimPrefix)
	if err := claims.Put(ctx, s, name, e.Data); err != nil {
		return fmt.Errorf("claim of %s: %w", e.ID, err)
	}
	return nil
}

// Resolve returns the event with its data, fetched from claims if it had to be moved there. Data that is not
// what was published is fault.Internal, code claim_corrupt; of another tenant than the scope's is
// fault.Denied, code tenant_mismatch.
func Resolve(ctx context.Context, claims Claims, s tenants.Scope, e Event) (Event, error) {
	if err := checkTenant(s, e); err != nil {
		return Event{}, err
	}
	if e.DataRef == "" {
		return e, nil
	}
	name, want, err := parseClaim(e.DataRef)
	if err != nil {
		return Event{}, err
	}
	data, err := claims.Get(ctx, s, name)
	if err != nil {
		return Event{}, fmt.Errorf("claim of %s: %w", e.ID, err)
	}
	if digest(data) != want {
		return Event{}, fault.New(fault.Internal, "claim_corrupt", "the claimed data of "+e.ID+" is not what was published", nil)
	}
	e.Data, e.DataRef = data, ""
	return e, nil
}

// parseClaim takes a dataref apart: the name in Claims and the digest in it.
func parseClaim(ref string) (name, sum string, err error) {
	name, ok := strings.CutPrefix(ref, claimPrefix)
	dot := strings.LastIndexByte(name, '.')
	if !ok || dot < 1 || !isDigest(name[dot+1:]) || !isPlain(name) {
		return "", "", invalid("dataref", "is not of the form claims/<event>.<sha256>")
	}
	return name, name[dot+1:], nil
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// isDigest reports whether s has the form of a digest.
func isDigest(s string) bool {
	return len(s) == hex.EncodedLen(sha256.Size) && strings.Trim(s, "0123456789abcdef") == ""
}

// checkTenant refuses an event of another tenant than the scope's.
func checkTenant(s tenants.Scope, e Event) error {
	if err := s.Check(); err != nil {
		return err
	}
	if e.Tenant != s.Tenant() {
		return fault.New(fault.Denied, "tenant_mismatch", "the event is of another tenant", nil)
	}
	return nil
}
