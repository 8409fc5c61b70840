package local

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"levada.dev/infra/deploy/target"
	"levada.dev/tenants"
	"levada.dev/tenants/validate"
)

// KeysFile is the file in the state folder that holds the local API keys, tenant -> key.
const KeysFile = "keys.json"

// SecretsFile is the file in the state folder that holds the local secrets of the tenants' sources, and the key that seals
// them: a tenants.Vault.
const SecretsFile = "secrets.json"

// Store takes what is published; the CONFIG namespace of a platform is one.
type Store interface {
	Get(ctx context.Context, key string) (value []byte, found bool, err error)
	Put(ctx context.Context, key string, value []byte) error
	Delete(ctx context.Context, key string) error
	Keys(ctx context.Context, prefix string) ([]string, error)
}

// Configs reads every tenant's configuration below the tenants folder, sorted by id, and refuses what levada validate
// does: nothing starts with a mistake in it.
func Configs(tenantsDir fs.FS) ([]tenants.Config, error) {
	configs, problems := validate.Load(tenantsDir, target.Rules(target.Dev))
	var bad []error
	for _, p := range problems {
		p.File = path.Join("tenants", p.File)
		bad = append(bad, errors.New(p.String()))
	}
	if len(bad) > 0 {
		return nil, errors.Join(bad...)
	}
	slices.SortFunc(configs, func(a, b tenants.Config) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return configs, nil
}

// Keys reads the local API keys from the state folder and makes those that are missing: one for each tenant, and where there are several one of an operator, who may act for all. The keys of a tenant that is
// gone are left alone: it may come back.
func Keys(stateDir string, configs []tenants.Config) (keys tenants.Keys, made []tenants.ID, err error) {
	file := filepath.Join(stateDir, KeysFile)
	keys = tenants.Keys{}
	switch b, err := os.ReadFile(file); {
	case err == nil:
		if keys, err = tenants.ParseKeys(b); err != nil {
			return nil, nil, fmt.Errorf("%s: %w (delete the file, and new keys are made)", file, err)
		}
	case !errors.Is(err, fs.ErrNotExist):
		return nil, nil, err
	}
	for _, c := range configs {
		if keys[c.ID] != "" {
			continue
		}
		if keys[c.ID], err = tenants.NewKey(rand.Reader, c.ID); err != nil {
			return nil, nil, err
		}
		made = append(made, c.ID)
	}
	write := len(made) > 0
	if len(configs) > 1 && keys[tenants.Operator] == "" {
		if keys[tenants.Operator], err = tenants.NewKey(rand.Reader, configs[0].ID); err != nil {
			return nil, nil, err
		}
		write = true
	}
	if write {
		err = writeFile(file, keys.JSON())
	}
	return keys, made, err
}

// Vault reads the local secrets from the state folder and makes those that are missing. For one that an outside server would give a value is made
// up: whoever has the real one writes it into the file.
func Vault(stateDir string, configs []tenants.Config) (*tenants.Vault, error) {
	file := filepath.Join(stateDir, SecretsFile)
	vault := &tenants.Vault{}
	switch b, err := os.ReadFile(file); {
	case err == nil:
		if vault, err = tenants.ParseVault(b, configs); err != nil {
			return nil, fmt.Errorf("%s: %w (delete the file, and new secrets are made)", file, err)
		}
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	made, err := vault.Complete(rand.Reader, configs)
	if err != nil {
		return nil, err
	}
	madeUp, err := vault.StandIn(rand.Reader, configs)
	if err != nil {
		return nil, err
	}
	if made || madeUp {
		err = writeFile(file, vault.JSON())
	}
	return vault, err
}

// writeFile replaces the file as a whole, readable by its owner alone.
func writeFile(file string, b []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	tmp := file + ".new"
	if err := os.WriteFile(tmp, b, 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, file)
}

// Publish writes the tenants, the keys' grants and the sealed secrets into the store, unless it holds just that already.
func Publish(ctx context.Context, store Store, configs []tenants.Config, keys tenants.Keys, vault *tenants.Vault) error {
	served := tenants.Keys{}
	for _, c := range configs {
		if k := keys[c.ID]; k != "" {
			served[c.ID] = k
		}
	}
	if owner, err := tenants.ParseKey(keys[tenants.Operator]); err == nil && served[owner] != "" {
		served[tenants.Operator] = keys[tenants.Operator]
	}
	entries, err := tenants.Publish(configs, served.Grants("local"), vault)
	if err != nil {
		return err
	}
	if b, found, err := store.Get(ctx, tenants.HashEntry); err != nil || found && string(b) == entries.Hash() {
		return err
	}
	for key, value := range entries {
		if key == tenants.HashEntry {
			continue
		}
		if err := store.Put(ctx, key, value); err != nil {
			return fmt.Errorf("publish %s: %w", key, err)
		}
	}
	if err := withdraw(ctx, store, entries); err != nil {
		return err
	}
	return store.Put(ctx, tenants.HashEntry, []byte(entries.Hash())) // last: a publication that was cut short is done again
}

// withdraw removes what an earlier publication had and this one has not: a tenant, a host, a key.
func withdraw(ctx context.Context, store Store, entries tenants.Entries) error {
	keys, err := store.Keys(ctx, "")
	if err != nil {
		return err
	}
	for _, key := range keys {
		if _, stays := entries[key]; stays {
			continue
		}
		if err := store.Delete(ctx, key); err != nil {
			return fmt.Errorf("withdraw %s: %w", key, err)
		}
	}
	return nil
}
