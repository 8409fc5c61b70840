package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"levada.dev/infra/deploy/target"
	"levada.dev/tenants"
)

type keyOptions struct {
	Root              string
	Tenant, Env, Name string
	Scopes, Also      []string
	JSON              bool
	Stdout, Stderr    io.Writer
}

// keyView is a key as levada key list shows it.
type keyView struct {
	Tenant tenants.ID `json:"tenant"`
	target.Key
}

func newKey(g *globals) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "key",
		Short: "Make, list and revoke the API keys of deployed tenants",
		Long: "Makes, lists and revokes the API keys of deployed tenants. Only their hashes are kept, in tenants/<id>/keys.json, which is committed;\n" +
			"levada deploy publishes them. The local platform has keys of its own, in its state folder.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newKeyNew(g), newKeyList(g), newKeyRevoke(g))
	return cmd
}

func newKeyNew(g *globals) *cobra.Command {
	var o keyOptions
	cmd := &cobra.Command{
		Use:   "new TENANT",
		Short: "Make an API key, show it once, and keep its hash",
		Long: "Makes an API key and prints it, and nothing else, to stdout: that is the only time it can be seen. Its hash goes to\n" +
			"tenants/<id>/keys.json. The key opens the door once levada deploy has published it.",
		Example: "  levada key new acme --env prod --name ci --scope search,chat\n  levada key new acme --env prod --name ops --also globex --scope metrics,jobs,documents\n  levada key new acme --env prod --name app | op item create --category password --title acme-app 'password[password]=-'",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			o.Tenant, o.Stdout, o.Stderr = args[0], cmd.OutOrStdout(), cmd.ErrOrStderr()
			if o.Root, err = g.folder(); err != nil {
				return err
			}
			return o.create(cmd.Context())
		},
	}
	cmd.Flags().StringVar(&o.Env, "env", "", "environment: "+oneOf(target.Environments))
	cmd.Flags().StringVar(&o.Name, "name", "", "what the key is for, one of a kind in its environment")
	cmd.Flags().StringSliceVar(&o.Scopes, "scope", nil, "a right of the key, or several with commas: "+oneOf(tenants.AllScopes)+" (default: all but admin and export)")
	cmd.Flags().StringSliceVar(&o.Also, "also", nil, "another tenant of the pool that the key opens, with the same rights: an operator's key")
	for _, flag := range []string{"env", "name"} {
		_ = cmd.MarkFlagRequired(flag) // it was just defined
	}
	return cmd
}

func newKeyList(g *globals) *cobra.Command {
	var o keyOptions
	cmd := &cobra.Command{
		Use:     "list [TENANT]",
		Short:   "List the API keys: their names, environments and rights",
		Example: "  levada key list\n  levada key list acme --env prod --json",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			o.Stdout, o.Stderr = cmd.OutOrStdout(), cmd.ErrOrStderr()
			if len(args) > 0 {
				o.Tenant = args[0]
			}
			if o.Root, err = g.folder(); err != nil {
				return err
			}
			return o.list()
		},
	}
	cmd.Flags().StringVar(&o.Env, "env", "", "of this environment alone: "+oneOf(target.Environments))
	cmd.Flags().BoolVar(&o.JSON, "json", false, "print JSON")
	return cmd
}

func newKeyRevoke(g *globals) *cobra.Command {
	var o keyOptions
	cmd := &cobra.Command{
		Use:     "revoke TENANT NAME",
		Short:   "Revoke an API key",
		Long:    "Removes a key's hash from tenants/<id>/keys.json. The key opens nothing any more some 90 s after levada deploy has published that.",
		Example: "  levada key revoke acme ci --env prod",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			o.Tenant, o.Name, o.Stdout, o.Stderr = args[0], args[1], cmd.OutOrStdout(), cmd.ErrOrStderr()
			if o.Root, err = g.folder(); err != nil {
				return err
			}
			return o.revoke(cmd.Context())
		},
	}
	cmd.Flags().StringVar(&o.Env, "env", "", "environment: "+oneOf(target.Environments))
	_ = cmd.MarkFlagRequired("env") // it was just defined
	return cmd
}

func (o *keyOptions) create(ctx context.Context) error {
	scopes, err := o.scopes()
	if err != nil {
		return err
	}
	id, err := o.tenant()
	if err != nil {
		return err
	}
	also, err := o.also(id)
	if err != nil {
		return err
	}
	key, err := tenants.NewKey(rand.Reader, id)
	if err != nil {
		return err
	}
	file := o.file(id)
	err = rewrite(ctx, file, func(src []byte) ([]byte, error) {
		return target.AddKey(src, target.Key{Name: o.Name, Env: o.Env, Hash: tenants.HashKey(key), Scopes: scopes, Also: also})
	})
	if err != nil {
		return fmt.Errorf("%s: %w", o.shown(file), err)
	}
	if _, err := fmt.Fprintln(o.Stdout, key); err != nil {
		return fmt.Errorf("the key could not be shown, and cannot be seen again: levada key revoke %s %q --env %s: %w", id, o.Name, o.Env, err)
	}
	names := make([]string, len(scopes))
	for i, s := range scopes {
		names[i] = string(s)
	}
	opens := []string{string(id)}
	for _, other := range also {
		opens = append(opens, string(other))
	}
	fmt.Fprintf(o.Stderr, "This is the key %q of %s in %s, for %s. It is shown this once; its hash is in %s.\nIt opens the door after: levada deploy %s --env %s\n",
		o.Name, strings.Join(opens, " and "), o.Env, strings.Join(names, ", "), o.shown(file), id, o.Env)
	return nil
}

// scopes are the rights asked for; without any, all but those over the tenant as a whole.
func (o *keyOptions) scopes() ([]tenants.APIScope, error) {
	if len(o.Scopes) == 0 {
		return slices.DeleteFunc(slices.Clone(tenants.AllScopes), func(s tenants.APIScope) bool {
			return s == tenants.ScopeAdmin || s == tenants.ScopeExport
		}), nil
	}
	for _, s := range o.Scopes {
		if err := among("scope", s, tenants.AllScopes); err != nil {
			return nil, err
		}
	}
	return tenants.ParseScopes(o.Scopes)
}

// also are the other tenants that were named.
func (o *keyOptions) also(own tenants.ID) ([]tenants.ID, error) {
	var all []tenants.ID
	for _, name := range o.Also {
		other := *o
		other.Tenant = name
		id, err := other.tenant()
		switch {
		case err != nil:
			return nil, err
		case id == own || slices.Contains(all, id):
			return nil, fmt.Errorf("--also names %s twice: the key is of %s already", id, strings.Join(append([]string{string(own)}, o.Also...), ", "))
		}
		all = append(all, id)
	}
	return all, nil
}

// tenant is the tenant that was named, if there is one.
func (o *keyOptions) tenant() (tenants.ID, error) {
	if err := among("env", o.Env, target.Environments); err != nil {
		return "", err
	}
	in, _ := target.Load(o.dir(), target.Dev) // whatever else is wrong
	for _, c := range in.Tenants {
		if string(c.ID) == o.Tenant {
			return c.ID, nil
		}
	}
	_, err := in.Find(o.Tenant)
	return "", err
}

func (o *keyOptions) dir() fs.FS { return os.DirFS(filepath.Join(o.Root, tenantsFolder)) }

func (o *keyOptions) file(id tenants.ID) string {
	return filepath.Join(o.Root, tenantsFolder, string(id), target.KeysFile)
}

// shown is a file as the checkout has it.
func (o *keyOptions) shown(file string) string {
	if rest, err := filepath.Rel(o.Root, file); err == nil {
		return filepath.ToSlash(rest)
	}
	return file
}

func (o *keyOptions) list() error {
	if err := among("env", o.Env, target.Environments); err != nil {
		return err
	}
	in, _ := target.Load(o.dir(), target.Dev) // problems of the keys are told below
	if o.Tenant != "" {
		id, err := o.tenant()
		if err != nil {
			return err
		}
		in.Tenants = slices.DeleteFunc(in.Tenants, func(c tenants.Config) bool { return c.ID != id })
	}
	all := []keyView{}
	var problems tenants.Problems
	for _, c := range in.Tenants {
		keys, found := target.Keys(o.dir(), c.ID)
		problems = append(problems, found...)
		for _, k := range keys {
			if o.Env == "" || k.Env == o.Env {
				all = append(all, keyView{c.ID, k})
			}
		}
	}
	if len(problems) > 0 {
		fmt.Fprint(o.Stderr, problemList(problems))
		return errors.New("the files of keys have problems")
	}
	if o.JSON {
		return printJSON(o.Stdout, all)
	}
	if len(all) == 0 {
		fmt.Fprintln(o.Stdout, "no keys")
		return nil
	}
	t := newTable("tenant", "name", "environment", "rights", "also opens", column{name: "hash", spare: 1})
	for _, k := range all {
		t.add(k.Tenant, k.Name, k.Env, strings.Trim(fmt.Sprint(k.Scopes), "[]"), strings.Trim(fmt.Sprint(k.Also), "[]"), k.Hash[:12])
	}
	t.draw(o.Stdout)
	return nil
}

func (o *keyOptions) revoke(ctx context.Context) error {
	id, err := o.tenant()
	if err != nil {
		return err
	}
	file := o.file(id)
	if err := rewrite(ctx, file, func(src []byte) ([]byte, error) { return target.RemoveKey(src, o.Env, o.Name) }); err != nil {
		return fmt.Errorf("%s: %w", o.shown(file), err)
	}
	fmt.Fprintf(o.Stdout, "The key %q of %s in %s is out of %s.\nIt opens nothing any more some 90 s after: levada deploy %s --env %s\n", o.Name, id, o.Env, o.shown(file), id, o.Env)
	return nil
}

// rewrite replaces a file of the checkout, as a whole, by what edit makes of it, when nobody else does so. One that is not there is empty.
func rewrite(ctx context.Context, file string, edit func(src []byte) ([]byte, error)) error {
	release, err := target.Hold(ctx, file)
	if err != nil {
		return err
	}
	defer release()
	return replace(file, edit)
}

// replace is rewrite for who holds the file's folder.
func replace(file string, edit func(src []byte) ([]byte, error)) error {
	src, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	text, err := edit(src)
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+"-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }() // gone by then, when all went well
	_, err = tmp.Write(text)
	if err = errors.Join(err, tmp.Chmod(0o644), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), file)
}
