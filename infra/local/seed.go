package local

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"levada.dev/tenants"
)

// KeysFile is the file in the state folder that holds the local API keys, tenant -> key.
const KeysFile = "keys.json"

// Store takes what is published; the CONFIG namespace of a platform is one.
type Store interface {
	Get(ctx context.Context, key string) (value []byte, found bool, err error)
	Put(ctx context.Context, key string, value []byte) error
	Delete(ctx context.Context, key string) error
	Keys(ctx context.Context, prefix string) ([]string, error)
}

// Configs reads every tenant's configuration below the tenants folder, sorted by id.
func Configs(tenantsDir fs.FS) ([]tenants.Config, error) {
	files, err := fs.Glob(tenantsDir, "*/tenant.config.json")
	if err != nil {
		return nil, err
	}
	var configs []tenants.Config
	var bad []error
	for _, name := range files {
		b, err := fs.ReadFile(tenantsDir, name)
		if err != nil {
			return nil, err
		}
		c, problems := tenants.Inspect(b)
		if err := problems.Err(); err != nil {
			bad = append(bad, fmt.Errorf("tenants/%s: %w (run `task validate` for all problems)", name, err))
			continue
		}
		configs = append(configs, *c)
	}
	if len(files) == 0 {
		bad = append(bad, errors.New("there are no tenants: no tenants/<id>/tenant.config.json"))
	}
	slices.SortFunc(configs, func(a, b tenants.Config) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return configs, errors.Join(bad...)
}

// Keys reads the local API keys from the state folder and makes those that are missing. The keys of a tenant that is
// gone are left alone: it may come back.
func Keys(stateDir string, configs []tenants.Config) (keys tenants.Keys, made []tenants.ID, err error) {
	path := filepath.Join(stateDir, KeysFile)
	keys = tenants.Keys{}
	switch b, err := os.ReadFile(path); {
	case err == nil:
		if keys, err = tenants.ParseKeys(b); err != nil {
			return nil, nil, fmt.Errorf("%s: %w (delete the file, and new keys are made)", path, err)
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
	if len(made) > 0 {
		err = writeFile(path, keys.JSON())
	}
	return keys, made, err
}

// writeFile replaces the file as a whole, readable by its owner alone.
func writeFile(path string, b []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	tmp := path + ".new"
	if err := os.WriteFile(tmp, b, 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}

// Publish writes the tenants and the keys' grants into the store, unless it holds just that already.
func Publish(ctx context.Context, store Store, configs []tenants.Config, keys tenants.Keys) error {
	served := tenants.Keys{}
	for _, c := range configs {
		if k := keys[c.ID]; k != "" {
			served[c.ID] = k
		}
	}
	entries, err := tenants.Publish(configs, served.Grants("local"))
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
