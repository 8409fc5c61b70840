package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"levada.dev/events/fault"
	"levada.dev/infra/deploy/credential"
	"levada.dev/infra/deploy/target"
	"levada.dev/tenants"
	"levada.dev/tenants/seal"
	"levada.dev/tenants/validate"
)

type secretOptions struct {
	Root           string
	Tenant, Env    string
	File           string // of the vault, when it is not where the reference leads
	Source         string // to rotate
	Speech         bool   // to rotate: the webhook that tells of speech alone
	Webhook        bool   // likewise: that which tells of everything
	Name, From     string // of a tool's secret, and the file that it is in
	Drop, SealKey  bool
	JSON           bool
	Credentials    *credential.Source
	Stdin          io.Reader
	Stdout, Stderr io.Writer
}

func newSecret(g *globals) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "secret",
		Short: "Make, rotate and check the secrets of a deployed pool",
		Long: "Makes, rotates and checks the vault of a pool in an environment: the secrets that the sources of its tenants sign with, those that\n" +
			"sign what is sent to them, those that outside servers gave for their tools, and the key that seals them where they are published. A vault is a file that only its owner can read, outside of the checkout; tenants/deploy.json\n" +
			"refers to it. No command prints a secret.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newSecretNew(g), newSecretSet(g), newSecretRotate(g), newSecretCheck(g))
	return cmd
}

// bind gives a command the flags that all of them have, and what it does.
func (o *secretOptions) bind(g *globals, cmd *cobra.Command, run func(ctx context.Context, t target.Target) error) *cobra.Command {
	cmd.Args = cobra.ExactArgs(1)
	cmd.RunE = func(cmd *cobra.Command, args []string) (err error) {
		o.Tenant, o.Credentials, o.Stdin = args[0], g.source(), cmd.InOrStdin()
		o.Stdout, o.Stderr = g.covered(cmd.OutOrStdout()), g.covered(cmd.ErrOrStderr())
		if o.Root, err = g.folder(); err != nil {
			return err
		}
		t, err := o.target()
		if err != nil {
			return err
		}
		return run(cmd.Context(), t)
	}
	cmd.Flags().StringVar(&o.Env, "env", "", "environment: "+oneOf(target.Environments))
	_ = cmd.MarkFlagRequired("env") // it was just defined
	return cmd
}

func (o *secretOptions) bindFile(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.File, "file", "", "the vault's file (default: where tenants/deploy.json says, if that is a file)")
}

func newSecretNew(g *globals) *cobra.Command {
	var o secretOptions
	cmd := o.bind(g, &cobra.Command{
		Use:   "new TENANT",
		Short: "Make the vault of the pool that serves a tenant, or what is missing in it",
		Long: "Makes the vault of the pool that serves the tenant, or what is missing in it: the key that seals, and a secret for each name that a\n" +
			"source or a webhook of its tenants has. What is there stays. Which secrets of tools are missing it says, as outside servers give those. The file is its owner's alone (0600), and never where git would take it.",
		Example: "  levada secret new acme --env prod\n  levada secret new acme --env prod --file /dev/shm/acme.json",
	}, o.create)
	o.bindFile(cmd)
	return cmd
}

func newSecretRotate(g *globals) *cobra.Command {
	var o secretOptions
	cmd := o.bind(g, &cobra.Command{
		Use:   "rotate TENANT",
		Short: "Give a source or a webhook a new secret, drop its old ones, or change the key that seals",
		Long: "--source gives a source one secret more, in the vault and, before the others, in the tenant's configuration: once deployed, both verify.\n" +
			"When the sender signs with the new one, --source with --drop takes the others out of the configuration.\n" +
			"--speech does so with the webhook that tells of speech: once deployed, both sign, and the receiver may change over.\n" +
			"--seal-key makes a new key that seals; the next deployment seals every secret anew. The key before opens what it sealed until --seal-key --drop.",
		Example: "  levada secret rotate acme --env prod --source cms\n  levada secret rotate acme --env prod --source cms --drop\n  levada secret rotate acme --env prod --seal-key",
	}, o.rotate)
	o.bindFile(cmd)
	cmd.Flags().StringVar(&o.Source, "source", "", "id of the source")
	cmd.Flags().BoolVar(&o.Speech, "speech", false, "the webhook that tells of speech alone, in place of a source")
	cmd.Flags().BoolVar(&o.Webhook, "webhook", false, "the tenant's webhook, in place of a source")
	cmd.Flags().BoolVar(&o.Drop, "drop", false, "drop the old secrets")
	cmd.Flags().BoolVar(&o.SealKey, "seal-key", false, "make a new key that seals")
	return cmd
}

func newSecretCheck(g *globals) *cobra.Command {
	var o secretOptions
	cmd := o.bind(g, &cobra.Command{
		Use:     "check TENANT",
		Short:   "Read the vault by its reference, and say what is in it and what is missing",
		Long:    "Reads the vault by its reference, as levada deploy does, and lists the names in it: which are there, missing, or unused.\nExits with 1 when one is missing.",
		Example: "  levada secret check acme --env prod",
	}, o.check)
	cmd.Flags().BoolVar(&o.JSON, "json", false, "print JSON")
	return cmd
}

// target is the target of the tenant. That it has no vault yet is no problem here.
func (o *secretOptions) target() (target.Target, error) {
	if err := among("env", o.Env, target.Environments); err != nil {
		return target.Target{}, err
	}
	in, problems := target.Load(os.DirFS(filepath.Join(o.Root, tenantsFolder)), o.Env)
	problems = slices.DeleteFunc(problems, func(p tenants.Problem) bool {
		return p.File == target.File && strings.HasSuffix(p.Path, ".vault") && p.Message == target.NoVault
	})
	if len(problems) > 0 {
		fmt.Fprint(o.Stderr, problemList(problems))
		return target.Target{}, errors.New("the configuration has problems: nothing was done")
	}
	return in.Find(o.Tenant)
}

// vaultFile is the file to work on.
func (o *secretOptions) vaultFile(ctx context.Context, t target.Target) (string, error) {
	path, isFile := t.Vault.File()
	if o.File != "" {
		abs, err := filepath.Abs(o.File)
		if err != nil {
			return "", err
		}
		path, isFile = abs, true
	}
	switch {
	case isFile:
		return path, target.Keep(ctx, o.Root, path, o.Credentials.Environ())
	case t.Vault.String() == "":
		return "", usagef("--file is required: environments.%s.pools.%s has no vault in tenants/%s", t.Env, t.Pool, target.File)
	}
	return "", usagef("--file is required: the vault is kept at %s; bring it to a file first, and back afterwards", t.Vault)
}

// open is the vault in a file, an empty one when there is none.
func open(file string, t target.Target) (*tenants.Vault, error) {
	v, err := target.ReadVault(file, t.Tenants)
	if v == nil && err == nil {
		v = &tenants.Vault{}
	}
	return v, err
}

func (o *secretOptions) create(ctx context.Context, t target.Target) error {
	file, err := o.vaultFile(ctx, t)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	release, err := target.Hold(ctx, file)
	if err != nil {
		return err
	}
	defer release()
	v, err := open(file, t)
	if err != nil {
		return err
	}
	before, sealed := target.Inventory(v, t), v.SealKey != ""
	made, err := v.Complete(rand.Reader, t.Tenants)
	if err != nil {
		return err
	}
	defer o.lacks(t, v)
	if !made {
		fmt.Fprintf(o.Stdout, "%s has everything that is made here: nothing was changed\n", file)
		return nil
	}
	if err := target.WriteVault(file, v); err != nil {
		return err
	}
	if !sealed {
		fmt.Fprintln(o.Stdout, "made the key that seals")
	}
	for _, s := range before {
		if s.State == target.SecretMissing && s.Kind.Made() {
			fmt.Fprintf(o.Stdout, "made %s/%s\n", s.Tenant, s.Name)
		}
	}
	fmt.Fprintf(o.Stdout, "in %s\n", file)
	o.refer(t, file)
	return nil
}

// refer says what deploy.json lacks.
func (o *secretOptions) refer(t target.Target, file string) {
	if at, isFile := t.Vault.File(); isFile && at == file {
		return
	}
	if t.Vault.String() == "" {
		fmt.Fprintf(o.Stderr, "Add it to environments.%s.pools.%s in tenants/%s: \"vault\": \"file:%s\"\n", t.Env, t.Pool, target.File, file)
		return
	}
	fmt.Fprintf(o.Stderr, "Store it where %s leads, and remove the file.\n", t.Vault)
}

func (o *secretOptions) rotate(ctx context.Context, t target.Target) error {
	given := 0
	for _, is := range []bool{o.SealKey, o.Source != "", o.Speech, o.Webhook} {
		if is {
			given++
		}
	}
	switch {
	case given != 1:
		return usagef("one of --source, --webhook, --speech and --seal-key is required, and no two of them")
	case o.Drop && !o.SealKey:
		return o.drop(ctx)
	}
	file, err := o.vaultFile(ctx, t)
	if err != nil {
		return err
	}
	release, err := target.Hold(ctx, file, o.config())
	if err != nil {
		return err
	}
	defer release()
	v, err := o.existing(file, t)
	if err != nil {
		return err
	}
	if o.SealKey {
		return o.reseal(t, file, v)
	}
	return o.addSecret(t, file, v)
}

// existing is the vault in a file, which has to be there.
func (o *secretOptions) existing(file string, t target.Target) (*tenants.Vault, error) {
	v, err := target.ReadVault(file, t.Tenants)
	if v == nil && err == nil {
		err = fault.Missing("vault_missing", "there is no vault at %s", file).WithHint("levada secret new " + o.Tenant + " --env " + o.Env + " makes one")
	}
	return v, err
}

// reseal makes a new key that seals. The one before stays behind it, as the Workers read what it sealed until the next deployment is through;
// with --drop it goes.
func (o *secretOptions) reseal(t target.Target, file string, v *tenants.Vault) (err error) {
	said := "took the key before away, in %s\nThe Workers forget it by: levada deploy %s --env %s\n"
	if o.Drop {
		v.SealKey = seal.Newest(v.SealKey)
	} else {
		said = "made a new key that seals, in %s\nEvery secret is sealed anew by: levada deploy %s --env %[3]s\nThe key before opens what it sealed until: levada secret rotate %[2]s --env %[3]s --seal-key --drop\n"
		if v.SealKey, err = seal.Renew(rand.Reader, v.SealKey); err != nil {
			return err
		}
	}
	if err := target.WriteVault(file, v); err != nil {
		return err
	}
	fmt.Fprintf(o.Stdout, said, file, o.Tenant, o.Env)
	o.refer(t, file)
	return nil
}

// config is the file of the tenant's configuration.
func (o *secretOptions) config() string {
	return filepath.Join(o.Root, tenantsFolder, o.Tenant, validate.File)
}

// addSecret writes the vault first: a secret that no configuration names harms nobody, a name without a secret stops a deployment. Both
// files are held.
func (o *secretOptions) addSecret(t target.Target, file string, v *tenants.Vault) error {
	var name string
	of := o.signer()
	err := replace(o.config(), func(src []byte) (out []byte, err error) {
		if out, name, err = target.AddSecret(src, of.id); err != nil {
			return nil, err
		}
		c, err := tenants.Parse(out)
		if err != nil {
			return nil, err
		}
		if _, err := v.Complete(rand.Reader, []tenants.Config{*c}); err != nil {
			return nil, err
		}
		return out, target.WriteVault(file, v)
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(o.Stdout, "made %s/%s in %s; %s names it before the others\n", o.Tenant, name, file, of.named)
	fmt.Fprintf(o.Stderr, "1. levada deploy %[1]s --env %[2]s: the old and the new %[5]s\n"+
		"2. give the %[6]s the new one: jq -r '.secrets[\"%[1]s\"][\"%[3]s\"]' %[4]s\n"+
		"3. once it %[7]s with it: levada secret rotate %[1]s --env %[2]s %[8]s --drop, and deploy\n", o.Tenant, o.Env, name, file, of.both, of.side, of.then, of.flag)
	for _, env := range o.otherEnvironments() {
		fmt.Fprintf(o.Stderr, "The configuration is that of %[2]s also: levada secret new %[1]s --env %[2]s\n", o.Tenant, env)
	}
	o.refer(t, file)
	return nil
}

// signer is whose secrets are rotated.
type signer struct {
	id, named, flag string // as package target has it, for people, and on the command line

	both, side, then string // what the old secret and the new one do, who is given the new one, and what it does with that
	dropped          string // what becomes of what the old ones did
}

func (o *secretOptions) signer() signer {
	hook := signer{both: "sign", side: "receiver", then: "verifies", dropped: "They sign nothing any more"}
	switch {
	case o.Speech:
		hook.id, hook.named, hook.flag = target.SpeechWebhook, target.SpeechWebhook, "--speech"
		return hook
	case o.Webhook:
		hook.id, hook.named, hook.flag = target.Webhook, "webhook", "--webhook"
		return hook
	}
	return signer{o.Source, "the source " + o.Source, "--source " + o.Source, "verify", "sender", "signs", "What they sign is refused"}
}

// otherEnvironments are those that serve the tenant besides.
func (o *secretOptions) otherEnvironments() (others []string) {
	for _, env := range target.Environments {
		in, _ := target.Load(os.DirFS(filepath.Join(o.Root, tenantsFolder)), env)
		if _, err := in.Find(o.Tenant); err == nil && env != o.Env {
			others = append(others, env)
		}
	}
	return others
}

func (o *secretOptions) drop(ctx context.Context) error {
	var dropped []string
	of := o.signer()
	err := rewrite(ctx, o.config(), func(src []byte) (out []byte, err error) {
		out, dropped, err = target.DropSecrets(src, of.id)
		return out, err
	})
	if err != nil {
		return err
	}
	if len(dropped) == 0 {
		fmt.Fprintf(o.Stdout, "%s has one secret: nothing was changed\n", of.named)
		return nil
	}
	fmt.Fprintf(o.Stdout, "%s names %s no more\n%s some 90 s after: levada deploy %s --env %s\n", of.named, strings.Join(dropped, ", "), of.dropped, o.Tenant, o.Env)
	return nil
}

// secretView is what levada secret check prints for machines.
type secretView struct {
	Pool    string               `json:"pool"`
	Env     string               `json:"env"`
	Vault   string               `json:"vault"` // the reference
	Secrets []target.SecretState `json:"secrets"`
}

func (o *secretOptions) check(ctx context.Context, t target.Target) error {
	if t.Vault.String() == "" {
		return fault.Missing("vault_missing", "the pool %s has no vault in %s", t.Pool, t.Env).WithHint("levada secret new " + o.Tenant + " --env " + o.Env + " --file /absolute/path makes one")
	}
	text, err := o.Credentials.Text(ctx, t.Name("vault"), t.Vault)
	if err != nil {
		return err
	}
	v, err := tenants.ParseVault([]byte(text.Secret()), t.Tenants)
	if err != nil {
		return fmt.Errorf("%s: %w", t.Vault, err)
	}
	view := secretView{t.Pool, t.Env, t.Vault.String(), target.Inventory(v, t)}
	var missing []target.SecretState
	table := newTable("tenant", "secret", "kind", "state")
	for _, s := range view.Secrets {
		if s.State == target.SecretMissing {
			missing = append(missing, s)
		}
		table.add(s.Tenant, s.Name, s.Kind, s.State)
	}
	if o.JSON {
		view.Secrets = append([]target.SecretState{}, view.Secrets...)
		if err := printJSON(o.Stdout, view); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(o.Stdout, "%s, of the pool %s in %s\n", t.Vault, t.Pool, t.Env)
		table.draw(o.Stdout)
	}
	if len(missing) > 0 {
		first := missing[0]
		return fault.Invalidf("", "secret_missing", "%d of the secrets that sources, tools and webhooks need are missing", len(missing)).
			WithHint(target.NextStep(first.Kind, first.Tenant, first.Name, o.Env))
	}
	return nil
}
