package generate

import (
	"bytes"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// ownFolder refuses a package that is there and of which no file was made for this: what is generated would become a part of it.
func (d *draft) ownFolder(folder string) error {
	files, err := filepath.Glob(filepath.Join(d.Root, filepath.FromSlash(folder), "*.go"))
	if err != nil || len(files) == 0 {
		return err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if bytes.HasPrefix(text, []byte("//levada:new "+d.what+"\n")) {
			return nil
		}
	}
	return refuse(codeTaken, folder, "", "take another name", "is there, and was not made by levada new %s", d.what)
}

// undeclared refuses names that another file of a package has.
func (d *draft) undeclared(file string, names ...string) error {
	siblings, err := filepath.Glob(filepath.Join(d.Root, filepath.FromSlash(path.Dir(file)), "*.go"))
	if err != nil {
		return err
	}
	for _, sibling := range siblings {
		other := path.Join(path.Dir(file), filepath.Base(sibling))
		if other == file || strings.HasSuffix(other, "_test.go") {
			continue
		}
		text, err := os.ReadFile(sibling)
		if err != nil {
			return err
		}
		s, err := parseSource(other, text)
		if err != nil {
			return err
		}
		for _, n := range names {
			if s.declares(n) {
				return refuse(codeTaken, other, n, "take another name", "is declared here already")
			}
		}
	}
	return nil
}

// noWorker is the refusal of a role that is not there.
func (d *draft) noWorker(role string, roles map[string]string) error {
	return refuse(codeOption, "", "worker", "one of "+strings.Join(slices.Sorted(maps.Keys(roles)), ", "), "there is no Worker %.40q", role)
}
