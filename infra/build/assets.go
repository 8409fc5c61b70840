package build

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"levada.dev/infra/stack"
)

// partsFolder is what of a folder of assets is served, beside its pages: all that is below it. Its rules for headers go along, and the modules
// of others that its list names. Anything else, such as Go, stays.
const partsFolder = "app"

// AssetsFolder is the name of the folder of a role's assets, beside that of its modules. No role is called so.
func AssetsFolder(role stack.Role) string { return string(role) + ".assets" }

// AssetsDir is that folder: as Cloudflare serves it, from the root of the host.
func AssetsDir(out string, role stack.Role) string { return filepath.Join(out, AssetsFolder(role)) }

// AssetFolders are the folders that a Worker's assets come from: what to watch to know that they have to be gathered again.
func AssetFolders(root string, w stack.Worker) ([]string, error) {
	if w.Assets == nil {
		return nil, nil
	}
	folder := filepath.Join(root, filepath.FromSlash(w.Assets.Folder))
	folders := []string{folder}
	err := filepath.WalkDir(filepath.Join(folder, partsFolder), func(name string, e fs.DirEntry, err error) error {
		if err == nil && e.IsDir() {
			folders = append(folders, name)
		}
		return err
	})
	return folders, err
}

// gather makes the folder hold exactly the assets, and tells whether that changed anything.
func gather(root, dir string, a stack.Assets) (changed bool, err error) {
	files, err := assetFiles(os.DirFS(root), a)
	if err != nil {
		return false, err
	}
	return hold(dir, files)
}

// assetFiles are the assets by their paths on the host, without the slash before it.
func assetFiles(root fs.FS, a stack.Assets) (map[string][]byte, error) {
	from, err := fs.Sub(root, a.Folder)
	if err != nil {
		return nil, err
	}
	at := strings.TrimPrefix(a.Path, "/")
	files := map[string][]byte{}
	if files[stack.HeadersFile], err = fs.ReadFile(from, stack.HeadersFile); err != nil {
		return nil, err // without its rules a page could be framed by anybody
	}
	pages, err := fs.Glob(from, "*.html")
	if err != nil {
		return nil, err
	}
	take := func(name string) (err error) {
		files[at+name], err = fs.ReadFile(from, name)
		return err
	}
	for _, name := range pages {
		if err := take(name); err != nil {
			return nil, err
		}
	}
	err = fs.WalkDir(from, partsFolder, func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || strings.HasPrefix(path.Base(name), ".") {
			return err
		}
		return take(name)
	})
	if err != nil {
		return nil, err
	}
	modules, err := vendor(root, from)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path.Join(a.Folder, vendorFile), err)
	}
	for name, data := range modules {
		files[at+name] = data
	}
	return files, nil
}
