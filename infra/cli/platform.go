package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"levada.dev/infra/client"
	"levada.dev/infra/local"
	"levada.dev/tenants"
)

// platformOptions says which platform a command speaks to and for whom: every command that calls the API has them.
type platformOptions struct {
	URL, Key, Tenant, State string

	globals *globals
}

// bind gives the command its flags. The environment fills in what they leave open.
func (o *platformOptions) bind(g *globals, cmd *cobra.Command) {
	o.globals = g
	f := cmd.Flags()
	f.StringVar(&o.URL, "url", "", "the platform (default LEVADA_URL, else the one that runs here: on PORT, or where its state folder says)")
	f.StringVar(&o.Key, "key", "", "API key (default LEVADA_KEY, else the local platform's key of the tenant)")
	f.StringVar(&o.Tenant, "tenant", "", "tenant (default LEVADA_TENANT, else the key's, else demo or the only one there is)")
	f.StringVar(&o.State, "state-dir", "", "the local platform's state folder, where its keys are (default LEVADA_STATE, else .levada)")
}

// defaultTenant is who is meant where nobody says so.
const defaultTenant = "demo"

// client is a client of the platform, for the tenant. It asks nothing yet.
func (o platformOptions) client() (*client.Client, error) {
	at, err := o.url()
	if err != nil {
		return nil, err
	}
	tenant, key, err := o.credentials(at)
	if err != nil {
		return nil, err
	}
	return client.New(at.String(), key, &client.Options{Tenant: tenant, HTTP: o.globals.http}), nil
}

// credentials are the tenant and the key to send to a platform.
func (o platformOptions) credentials(at *url.URL) (tenant, key string, err error) {
	tenant, key = given(o.Tenant, "LEVADA_TENANT"), given(o.Key, "LEVADA_KEY")
	if key == "" && (isHere(at) || o.State != "") {
		return o.localKey(tenant)
	}
	return tenant, key, nil
}

// again is the flags that have another command speak to the same platform as the same tenant, as they were given. A key is not repeated.
func (o *platformOptions) again() (flags string) {
	for _, f := range []struct{ name, value string }{{"url", o.URL}, {"tenant", o.Tenant}, {"state-dir", o.State}} {
		if f.value != "" {
			flags += " --" + f.name + " " + quoted(f.value)
		}
	}
	if o.Key != "" {
		flags += " --key KEY"
	}
	return flags
}

// quoted is a value as a shell takes it.
func quoted(value string) string {
	if strings.ContainsFunc(value, func(r rune) bool {
		return !strings.ContainsRune("./:_-@%+=,~", r) && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}) {
		return "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
	}
	return value
}

// named reports whether somebody has said which platform is meant.
func (o platformOptions) named() bool { return given(o.URL, "LEVADA_URL") != "" }

// url is where the platform is.
func (o platformOptions) url() (*url.URL, error) {
	address := given(o.URL, "LEVADA_URL")
	if address == "" && os.Getenv("PORT") == "" {
		address = o.announced()
	}
	if address == "" {
		port, err := portFromEnv(defaultPort)
		if err != nil {
			return nil, err
		}
		address = fmt.Sprintf("http://127.0.0.1:%d", port)
	}
	at, err := url.Parse(address)
	if err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https" || strings.Trim(at.Path, "/") != "" {
		return nil, usagef("--url %s: not the address of a platform, such as http://127.0.0.1:%d", address, defaultPort)
	}
	return at, nil
}

// announced is where the platform of the state folder runs; empty when none says so.
func (o platformOptions) announced() string {
	dir, err := o.stateDir()
	if err != nil {
		return "" // there is no folder, and who needs its keys will say so
	}
	return local.Address(dir)
}

// stateDir is the local platform's state folder.
func (o platformOptions) stateDir() (string, error) {
	root := "."
	if !filepath.IsAbs(given(o.State, "LEVADA_STATE")) {
		var err error
		if root, err = o.globals.folder(); err != nil {
			return "", err
		}
	}
	return local.StateDir(root, o.State), nil
}

// isHere reports whether a platform is on this machine. Local keys are sent to no other.
func isHere(at *url.URL) bool {
	host := at.Hostname()
	ip := net.ParseIP(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && ip.IsLoopback()
}

// localKey is the tenant's key in the state folder, and the tenant, who may be left open.
func (o platformOptions) localKey(tenant string) (string, string, error) {
	keys, file, err := o.localKeys()
	if err != nil {
		return "", "", err
	}
	if tenant == "" {
		tenant = defaultTenant
		if _, found := keys[defaultTenant]; !found && len(keys) == 1 {
			for id := range keys {
				tenant = string(id)
			}
		}
	}
	key, found := keys[tenants.ID(tenant)]
	if !found {
		ids := slices.Sorted(maps.Keys(keys))
		hint := fmt.Sprintf("there are keys of %s", join(ids))
		if best, ok := tenants.Closest(tenant, ids); ok {
			hint = fmt.Sprintf("did you mean %q?", best)
		}
		return "", "", usagef("--tenant %s: no key of this tenant in %s; %s", tenant, file, hint)
	}
	return tenant, key, nil
}

// localKeys are the keys of the platform that was started in the state folder.
func (o platformOptions) localKeys() (tenants.Keys, string, error) {
	dir, err := o.stateDir()
	if err != nil {
		return nil, "", err
	}
	file := filepath.Join(dir, local.KeysFile)
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", fmt.Errorf("no keys in %s: the platform was never started there\n  start it:                     go tool task dev\n  or name another's folder:     --state-dir (LEVADA_STATE)\n  or a platform and its key:    --url and --key (LEVADA_URL, LEVADA_KEY)", file)
	}
	if err != nil {
		return nil, "", err
	}
	keys, err := tenants.ParseKeys(b)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", file, err)
	}
	return keys, file, nil
}

// advised adds the next step to an error of a client.
func (o platformOptions) advised(err error) error {
	var gone *client.Unreachable
	var refused *client.Error
	switch {
	case errors.As(err, &gone):
		return fmt.Errorf("%w\n  start it:              go tool task dev\n  or name another one:   --url (LEVADA_URL)", err)
	case errors.As(err, &refused) && refused.Fault.Code == "unauthorized":
		return fmt.Errorf("%w\n  name a key:   --key (LEVADA_KEY), or --state-dir for the keys of a local platform", err)
	}
	return err
}

// run calls f with a client, and adds the next step to what goes wrong.
func (o platformOptions) run(ctx context.Context, f func(context.Context, *client.Client) error) error {
	c, err := o.client()
	if err != nil {
		return err
	}
	return o.advised(f(ctx, c))
}

// given is what a flag says, else what the environment says.
func given(flag, name string) string {
	if flag != "" {
		return flag
	}
	return os.Getenv(name)
}

func join(ids []tenants.ID) string {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = string(id)
	}
	return strings.Join(names, ", ")
}
