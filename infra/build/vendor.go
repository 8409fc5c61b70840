package build

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

// vendorFile names the modules of others that a folder of assets is served with: by what they are imported as, the file of the npm
// package and the name it is served under.
const vendorFile = "vendor.json"

// vendorFolder is where they are served, beside the parts.
const vendorFolder = "vendor"

type vendored struct {
	From string `json:"from"` // below node_modules
	To   string `json:"to"`
}

// imported is a module that a module takes from elsewhere: anything that is no path.
var imported = regexp.MustCompile(`\b(from|import)(\s*)(["'])([^"'./\s][^"'\s]*)["']`)

// sourceMap is a comment for who debugs the package; the map is not served.
var sourceMap = regexp.MustCompile(`(?m)^(//|/\*)# sourceMappingURL=.*$\n?`)

// vendor returns the modules as they are served: as npm installed them, but that they import each other by path, which a browser finds
// without a map of imports, and so without a script in the page. Their licences go with them.
func vendor(root, from fs.FS) (map[string][]byte, error) {
	text, err := fs.ReadFile(from, vendorFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var list map[string]vendored
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, err
	}
	files, licences := map[string][]byte{}, map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(list)) {
		v := list[name]
		data, err := fs.ReadFile(root, path.Join("node_modules", v.From))
		if err != nil {
			return nil, fmt.Errorf("%s: %w (run npm ci)", name, err)
		}
		if data, err = byPath(data, list); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		files[path.Join(vendorFolder, v.To)] = data
		pack := packageOf(v.From)
		if licences[pack] != "" {
			continue
		}
		if licences[pack], err = licence(root, pack); err != nil {
			return nil, err
		}
	}
	var all strings.Builder
	for _, pack := range slices.Sorted(maps.Keys(licences)) {
		all.WriteString(licences[pack])
	}
	files[path.Join(vendorFolder, "LICENSES.txt")] = []byte(all.String())
	return files, nil
}

// byPath makes a module import the others by path.
func byPath(module []byte, list map[string]vendored) ([]byte, error) {
	var unknown []string
	module = imported.ReplaceAllFunc(module, func(found []byte) []byte {
		part := imported.FindSubmatch(found)
		v, there := list[string(part[4])]
		if !there {
			unknown = append(unknown, string(part[4]))
			return found
		}
		return fmt.Appendf(nil, "%s%s%s./%s%s", part[1], part[2], part[3], v.To, part[3])
	})
	if len(unknown) > 0 {
		return nil, fmt.Errorf("imports %s, which the list does not name", strings.Join(unknown, ", "))
	}
	return sourceMap.ReplaceAll(module, nil), nil
}

// packageOf is the npm package of a file below node_modules.
func packageOf(file string) string {
	parts := strings.SplitN(file, "/", 3)
	if strings.HasPrefix(file, "@") && len(parts) > 1 {
		return parts[0] + "/" + parts[1]
	}
	return parts[0]
}

// licence is a package's name, version and licence.
func licence(root fs.FS, pack string) (string, error) {
	at := path.Join("node_modules", pack)
	about, err := fs.ReadFile(root, path.Join(at, "package.json"))
	if err != nil {
		return "", err
	}
	var is struct{ Version, License string }
	if err := json.Unmarshal(about, &is); err != nil {
		return "", fmt.Errorf("%s: %w", pack, err)
	}
	text, err := fs.ReadFile(root, path.Join(at, "LICENSE"))
	if err != nil {
		return "", fmt.Errorf("%s says no licence, so it cannot be served: %w", pack, err)
	}
	return fmt.Sprintf("%s %s (%s)\n\n%s\n\n", pack, is.Version, is.License, strings.TrimSpace(string(text))), nil
}
