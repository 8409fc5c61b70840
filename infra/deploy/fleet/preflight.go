package fleet

import (
	"context"
	"net/http"
	"sync"

	"levada.dev/events/fault"
	"levada.dev/infra/deploy/account"
	"levada.dev/infra/deploy/credential"
)

// door is an account as the jobs of one token see it. It is looked at once for all of them.
type door struct {
	*account.Account
	once sync.Once
	err  error
}

// look asks whether the token is good, and leads to the account that was meant.
func (d *door) look(ctx context.Context, ref credential.Ref) error {
	d.once.Do(func() { d.err = preflight(ctx, d.Account, ref) })
	return d.err
}

func preflight(ctx context.Context, a *account.Account, ref credential.Ref) error {
	var token struct{ Status string }
	err := a.Get(ctx, a.Path("tokens", "verify"), &token)
	if account.IsStatus(err, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusBadRequest) {
		err = a.Get(ctx, "user/tokens/verify", &token) // a user's, not an account's
	}
	switch {
	case account.IsStatus(err, http.StatusUnauthorized, http.StatusForbidden, http.StatusBadRequest):
		return fault.New(fault.Denied, "token_invalid", "the API does not know the token "+ref.String()+" as one of the account "+a.ID, err).
			WithHint("it may be mistyped, revoked, or another account's: docs/credentials.md says how to make one")
	case err != nil:
		return err
	case token.Status != "active":
		return fault.New(fault.Denied, "token_invalid", "the token "+ref.String()+" is "+token.Status, nil).WithHint("make another one: docs/credentials.md")
	}
	var got struct{ ID string }
	err = a.Get(ctx, a.Path(), &got)
	if account.IsStatus(err, http.StatusForbidden) && a.Get(ctx, a.Path("workers", "scripts"), nil) == nil {
		return nil // it may not read the account itself, and leads to it
	}
	switch {
	case account.IsStatus(err, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound):
		return fault.New(fault.Denied, "account_denied", "the token "+ref.String()+" does not lead to the account "+a.ID, err).
			WithHint("one of the two is another tenant's: compare them in tenants/deploy.json")
	case err != nil:
		return err
	case got.ID != a.ID:
		return fault.New(fault.Denied, "account_denied", "the token "+ref.String()+" leads to the account "+got.ID+", not to "+a.ID, nil).
			WithHint("compare them in tenants/deploy.json")
	}
	return nil
}
