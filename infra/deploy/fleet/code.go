package fleet

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"levada.dev/infra/build"
	"levada.dev/infra/deploy"
	"levada.dev/infra/stack"
)

// Build builds the Workers of a table into a folder, as the options say, and reads them. Who builds there at the same time waits.
func Build(ctx context.Context, o build.Options) (map[stack.Role]deploy.Code, error) {
	if err := os.MkdirAll(o.Out, 0o755); err != nil {
		return nil, err
	}
	mine, err := waitFor(ctx, filepath.Join(o.Out, "lock"))
	if err != nil {
		return nil, fmt.Errorf("the folder of the Workers: %w", err)
	}
	defer func() { _ = mine.Close() }()
	if _, err := build.Roles(ctx, o); err != nil {
		return nil, err
	}
	return Read(os.DirFS(o.Out), o.Stack)
}

// Read reads the Workers of a table that were built before, each in the folder of its role. All pools share what is read.
func Read(dir fs.FS, s stack.Stack) (map[stack.Role]deploy.Code, error) {
	all := map[stack.Role]deploy.Code{}
	for _, w := range s.Workers {
		sub, err := fs.Sub(dir, string(w.Role))
		if err != nil {
			return nil, err
		}
		if all[w.Role], err = deploy.ReadCode(sub); err != nil {
			return nil, fmt.Errorf("the Worker %s: %w", w.Role, err)
		}
		if w.Assets == nil {
			continue
		}
		if sub, err = fs.Sub(dir, build.AssetsFolder(w.Role)); err != nil {
			return nil, err
		}
		code := all[w.Role]
		if code.Assets, err = deploy.ReadAssets(sub); err != nil {
			return nil, fmt.Errorf("the assets of the Worker %s: %w", w.Role, err)
		}
		all[w.Role] = code
	}
	return all, nil
}

// waitFor locks a file as soon as nobody else has it.
func waitFor(ctx context.Context, path string) (*os.File, error) {
	for {
		f, held, err := tryLock(path)
		if err != nil {
			return nil, err
		}
		if !held {
			return f, nil
		}
		_ = f.Close()
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(100 * time.Millisecond):
		}
	}
}
