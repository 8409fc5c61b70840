package archtest

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// Rule is a named check of a tree.
type Rule struct {
	Name  string
	Check func(Tree) []string
}

// Rules are all there are.
func Rules() []Rule {
	return []Rule{
		{"direction of imports", Direction},
		{"JavaScript at the edge", JavaScript},
		{"builds natively", NativeBuild},
		{"top-level folders", TopLevel},
		{"file size", FileSize},
		{"package comments", PackageComments},
	}
}

// rooms are the layers from the bottom up: a room imports itself and what has a
// lower floor. Rooms on the same floor do not know each other. A package is in
// the room with the longest path that contains it.
var rooms = []struct {
	path  string
	floor int
}{
	{"events/fault", 0},
	{"tenants", 1},
	{"events", 2},
	{"workflows", 3},
	{"producers", 4},
	{"consumers", 4},
	{"api", 4},
	{"infra", 5},
}

// Direction refuses an import against the direction of the layers. External tests are free: they are not part of what
// they test, and a test of the api that runs on the real intake and the ports in memory is worth more than one on stubs.
func Direction(t Tree) (faults []string) {
	for _, f := range t.Files {
		if !f.isGo() || f.isTest() && strings.HasSuffix(f.Package, "_test") {
			continue
		}
		from, ok := roomOf(f.dir())
		if !ok {
			faults = append(faults, fmt.Sprintf("%s: its folder is in no layer", f.Path))
			continue
		}
		for _, imported := range f.Imports {
			if imported != Module && !strings.HasPrefix(imported, Module+"/") {
				continue
			}
			to, ok := roomOf(strings.TrimPrefix(imported, Module+"/"))
			if !ok {
				faults = append(faults, fmt.Sprintf("%s: imports %s, which is in no layer", f.Path, imported))
			} else if from != to && rooms[from].floor <= rooms[to].floor {
				faults = append(faults, fmt.Sprintf("%s: %s must not import %s", f.Path, rooms[from].path, imported))
			}
		}
	}
	return faults
}

// roomOf returns the number of the room that a folder is in.
func roomOf(dir string) (room int, ok bool) {
	for i, r := range rooms {
		if within(dir, r.path) && (!ok || len(r.path) > len(rooms[room].path)) {
			room, ok = i, true
		}
	}
	return room, ok
}

func within(dir, parent string) bool { return dir == parent || strings.HasPrefix(dir, parent+"/") }

// JavaScript refuses host calls, and files for js, outside the edge: below
// infra/cloudflare and infra/workers, and in the commands of infra/bench. Host
// calls are in files with js in their name, so that a native build has none.
func JavaScript(t Tree) (faults []string) {
	for _, f := range t.Files {
		calls := f.Wasm || slices.Contains(f.Imports, "syscall/js")
		if calls && !f.isJSFile() {
			faults = append(faults, f.Path+": uses syscall/js or go:wasm..., and is no *_js.go file")
		}
		if (calls || f.isJSFile()) && !atTheEdge(f) {
			faults = append(faults, f.Path+": is for js, which only infra/cloudflare, infra/workers and commands of infra/bench are")
		}
	}
	return faults
}

func atTheEdge(f File) bool {
	return within(f.dir(), "infra/cloudflare") || within(f.dir(), "infra/workers") ||
		within(f.dir(), "infra/bench") && f.Package == "main"
}

// NativeBuild requires of a library with files for js that it has an untagged
// doc.go, and of a command for js that it has no file for another platform:
// go build ./... passes the second over, and then has nothing to link.
func NativeBuild(t Tree) (faults []string) {
	for dir, files := range packages(t) {
		if !slices.ContainsFunc(files, File.isJSFile) {
			continue
		}
		native := slices.IndexFunc(files, func(f File) bool { return f.Native })
		doc := slices.ContainsFunc(files, func(f File) bool { return path.Base(f.Path) == "doc.go" && f.Native && f.JS })
		switch command := files[0].Package == "main"; {
		case command && native >= 0:
			faults = append(faults, fmt.Sprintf("%s: a command for js has only *_js.go files", files[native].Path))
		case !command && !doc:
			faults = append(faults, fmt.Sprintf("%s: has *_js.go files and no doc.go without build constraint", dir))
		}
	}
	slices.Sort(faults)
	return faults
}

// packages are the Go files of each folder that has some, without tests.
func packages(t Tree) map[string][]File {
	byDir := map[string][]File{}
	for _, f := range t.Files {
		if f.isGo() && !f.isTest() {
			byDir[f.dir()] = append(byDir[f.dir()], f)
		}
	}
	return byDir
}

// sourceFolders are those the architecture knows; bin and node_modules are made.
var sourceFolders = []string{"producers", "consumers", "workflows", "api", "events", "tenants", "infra", "docs", "bin", "node_modules"}

// TopLevel refuses a folder at the root that the architecture does not know, and
// Go files there.
func TopLevel(t Tree) (faults []string) {
	for _, name := range t.Top {
		folder, isFolder := strings.CutSuffix(name, "/")
		if isFolder && folder[0] != '.' && !slices.Contains(sourceFolders, folder) {
			faults = append(faults, name+": not one of the top-level folders")
		}
		if !isFolder && path.Ext(name) == ".go" {
			faults = append(faults, name+": Go at the root")
		}
	}
	return faults
}

// maxLines is where a file has to be split.
const maxLines = 600

// FileSize refuses files that are too long to be read, unless a program wrote them.
func FileSize(t Tree) (faults []string) {
	for _, f := range t.Files {
		if f.Lines > maxLines && !f.Generated {
			faults = append(faults, fmt.Sprintf("%s: %d lines, allowed are %d", f.Path, f.Lines, maxLines))
		}
	}
	return faults
}

// PackageComments requires that every package says what it is, in the words that
// go doc expects.
func PackageComments(t Tree) (faults []string) {
	all := packages(t)
	for _, dir := range slices.Sorted(maps.Keys(all)) {
		files := all[dir]
		start := "Package " + files[0].Package + " "
		if files[0].Package == "main" {
			start = "Command " + path.Base(dir) + " "
		}
		if !slices.ContainsFunc(files, func(f File) bool { return strings.HasPrefix(f.Doc, start) }) {
			faults = append(faults, fmt.Sprintf("%s: no package comment that starts with %q", dir, start))
		}
	}
	return faults
}
