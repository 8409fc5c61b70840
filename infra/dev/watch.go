package dev

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"

	"levada.dev/infra/build"
	"levada.dev/infra/stack"
)

// settle is how long the source must be still before it is built: an editor saves several files one after the other.
const settle = 150 * time.Millisecond

// Watch builds and loads what is edited, until it is closed or ctx ends. It says what it does, a line at a time; a
// compile error is said, too, and the platform runs on as it was.
func Watch(ctx context.Context, p *Platform, root string, say func(line string)) (io.Closer, error) {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, err
	}
	watch := &watcher{Watcher: w, platform: p, root: root, say: say}
	if err := watch.learn(ctx); err != nil {
		return nil, fmt.Errorf("watch the source: %w", errors.Join(err, w.Close()))
	}
	go watch.run(ctx)
	return w, nil
}

// watcher knows which folders each role is built from.
type watcher struct {
	*fsnotify.Watcher
	platform *Platform
	root     string
	say      func(string)
	roles    map[string][]stack.Role // by folder
}

// learn finds out what the roles are built from, and watches all of it.
func (w *watcher) learn(ctx context.Context) error {
	w.roles = map[string][]stack.Role{}
	glue := filepath.Join(w.root, "infra", "glue")
	for _, worker := range w.platform.options.Stack.Workers {
		dirs, err := build.Deps(ctx, w.root, worker)
		if err != nil {
			return err
		}
		assets, err := build.AssetFolders(w.root, worker)
		if err != nil {
			return err
		}
		for _, dir := range slices.Concat(dirs, assets, []string{glue}) {
			w.roles[dir] = append(w.roles[dir], worker.Role)
		}
	}
	for dir := range w.roles {
		if err := w.Add(dir); err != nil {
			return err
		}
	}
	return nil
}

func (w *watcher) run(ctx context.Context) {
	var dirty []stack.Role
	var still <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case e, open := <-w.Events:
			if !open {
				return
			}
			if roles := w.affected(e); len(roles) > 0 {
				dirty, still = append(dirty, roles...), time.After(settle)
			}
		case err, open := <-w.Errors:
			if !open {
				return
			}
			w.say("watching the source: " + err.Error())
		case <-still:
			slices.Sort(dirty)
			w.reload(ctx, slices.Compact(dirty))
			dirty, still = nil, nil
		}
	}
}

// affected is which roles an edit concerns.
func (w *watcher) affected(e fsnotify.Event) []stack.Role {
	name := filepath.Base(e.Name)
	if e.Op == fsnotify.Chmod || strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, ".") {
		return nil
	}
	switch filepath.Ext(name) {
	case ".go", ".mjs", ".json", ".html", ".css", ".js", ".svg":
	default:
		if name != stack.HeadersFile {
			return nil
		}
	}
	return w.roles[filepath.Dir(e.Name)]
}

func (w *watcher) reload(ctx context.Context, roles []stack.Role) {
	begun := time.Now()
	changed, err := w.platform.Rebuild(ctx, roles)
	switch {
	case err != nil && ctx.Err() == nil:
		w.say(fmt.Sprintf("not loaded; the platform runs on as it was:\n%v", err))
	case changed:
		w.say(fmt.Sprintf("loaded %v in %.1f s", roles, time.Since(begun).Seconds()))
		if err := w.learn(ctx); err != nil && ctx.Err() == nil { // an edit may import a new folder
			w.say("watching the source: " + err.Error())
		}
	}
}
