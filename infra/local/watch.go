package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"time"

	"levada.dev/infra/stack"
)

// glance is how often the files that are published are looked at. They are few, and an editor may replace them, which a watch of a file
// would lose.
const glance = time.Second

// Watch publishes the tenants anew when a configuration or the file of secrets was edited, until ctx ends. It says what it does, a line
// at a time; after a mistake the tenants stay as they were.
func (l *Local) Watch(ctx context.Context, say func(line string)) {
	l.watch(ctx, l.KV(stack.API, "CONFIG"), say)
}

func (l *Local) watch(ctx context.Context, store Store, say func(line string)) {
	tick := time.NewTicker(glance)
	defer tick.Stop()
	for seen := l.published(); ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if now := l.published(); maps.Equal(now, seen) {
			continue
		}
		switch err := l.republish(ctx, store); {
		case ctx.Err() != nil:
			return
		case err != nil:
			say(fmt.Sprintf("not published; the tenants stay as they were:\n%v", err))
		default:
			say("published the tenants anew; it takes up to 90 s until every cache has it")
		}
		seen = l.published() // secrets that were missing have been made
	}
}

// version is what changes of a file when it is edited.
type version struct {
	size    int64
	changed time.Time
}

// published is the files that are published, as they are now.
func (l *Local) published() map[string]version {
	files := map[string]version{}
	note := func(name string, info fs.FileInfo, err error) {
		if err == nil { // what cannot be read is not there, until it can
			files[name] = version{info.Size(), info.ModTime()}
		}
	}
	configs, _ := fs.Glob(l.options.Tenants, "*/tenant.config.json") // fails for a pattern that is none
	prompts, _ := fs.Glob(l.options.Tenants, "*/prompts/*")
	for _, name := range append(configs, prompts...) {
		info, err := fs.Stat(l.options.Tenants, name)
		note(name, info, err)
	}
	info, err := os.Stat(filepath.Join(l.options.State, SecretsFile))
	note(SecretsFile, info, err)
	return files
}

// republish reads everything again and publishes it. What the platform was started with cannot change without a start.
func (l *Local) republish(ctx context.Context, store Store) error {
	configs, err := Configs(l.options.Tenants)
	if err != nil {
		return err
	}
	fields, err := Filterable(configs)
	if err != nil {
		return err
	}
	if before, err := Filterable(l.Tenants); err != nil || !maps.Equal(before, fields) {
		return errors.Join(err, errors.New("search.filterable has changed, and the index has the fields that it was started with: start the platform again"))
	}
	keys, _, err := Keys(l.options.State, configs)
	if err != nil {
		return err
	}
	vault, err := Vault(l.options.State, configs)
	if err != nil {
		return err
	}
	if vault.SealKey != l.Vault.SealKey {
		return errors.New("the key that seals the secrets has changed, and the Workers have the one that they were started with: start the platform again")
	}
	return Publish(ctx, store, configs, keys, vault)
}
