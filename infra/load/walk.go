package load

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// Options says which files are taken, and as what.
type Options struct {
	Include []string // globs, of which one must match a file; none: all. See CheckGlobs
	Exclude []string // globs of files and folders that are left out
	Type    string   // the content type of all of them; default: found out
	Prefix  string   // of the document ids

	Source   string
	Metadata map[string]any

	MaxBytes int64 // of a file that is read; default 64 MiB. What the tenant allows is the platform's to say
}

const defaultMaxBytes = 64 << 20

// File is what was found of one file.
type File struct {
	Path        string // for people
	DocID       string
	ContentType string
	Bytes       int64
	Skipped     string // why it is left out; empty when it is not
	Err         error  // why it cannot be read
}

// CheckGlobs refuses globs that are none. A glob with a slash is matched against the path below the folder, one without against
// each name; ** stands for any folders.
func CheckGlobs(globs []string) error {
	for _, glob := range globs {
		if glob == "" || !doublestar.ValidatePattern(glob) {
			return fmt.Errorf("%q is not a glob", glob)
		}
	}
	return nil
}

// Walk finds the files at the roots, in order: a file is taken as it is, a folder with all below it but what is hidden, and
// node_modules. What could not be looked at is found with its error. It fails with the first root that does not exist.
func (o Options) Walk(roots []string) (iter.Seq[File], error) {
	for _, root := range roots {
		if _, err := os.Stat(root); err != nil {
			return nil, err
		}
	}
	return func(yield func(File) bool) {
		seen := map[string]string{}
		for _, root := range roots {
			for f := range o.walk(root) {
				if first, known := seen[f.DocID]; known && f.DocID != "" {
					f.Err = fmt.Errorf("%s has the same document id, %s: ingest the folders one by one, each with a prefix", first, f.DocID)
				}
				if len(roots) > 1 {
					seen[f.DocID] = f.Path
				}
				if !yield(f) {
					return
				}
			}
		}
	}, nil
}

func (o Options) walk(root string) iter.Seq[File] {
	return func(yield func(File) bool) {
		if info, err := os.Stat(root); err == nil && info.IsDir() {
			root += string(filepath.Separator) // follows a link, which nothing below it does
		}
		_ = filepath.WalkDir(root, func(at string, d fs.DirEntry, err error) error { // fails only with what the function returns
			rel, _ := filepath.Rel(root, at)
			rel = filepath.ToSlash(rel)
			single := at == root && d != nil && !d.IsDir()
			if single {
				rel = filepath.Base(at)
			}
			if err == nil && at != root && o.excluded(rel, d) {
				if d.IsDir() {
					return fs.SkipDir
				}
				return nil
			}
			var f File
			switch {
			case err != nil:
				f = File{Path: at, Err: bare(err)}
			case d.IsDir():
				return nil
			case !single && !o.included(rel):
				return nil
			case !single && !d.Type().IsRegular():
				f = File{Path: at, Skipped: "is no regular file"}
			default:
				f = o.file(at, rel, single)
			}
			if !yield(f) {
				return fs.SkipAll
			}
			return nil
		})
	}
}

// excluded reports whether a file or a folder is left out.
func (o Options) excluded(rel string, d fs.DirEntry) bool {
	name := path.Base(rel)
	return strings.HasPrefix(name, ".") || d.IsDir() && name == "node_modules" || matches(o.Exclude, rel)
}

func (o Options) included(rel string) bool { return len(o.Include) == 0 || matches(o.Include, rel) }

// matches tries globs, which CheckGlobs has seen.
func matches(globs []string, rel string) bool {
	for _, glob := range globs {
		name := rel
		if !strings.Contains(glob, "/") {
			name = path.Base(rel)
		}
		if doublestar.MatchUnvalidated(strings.TrimPrefix(glob, "/"), name) {
			return true
		}
	}
	return false
}

// file looks at one file. One that somebody has named is what they say it is.
func (o Options) file(at, rel string, named bool) File {
	f := File{Path: at, DocID: DocID(o.Prefix + rel)}
	info, err := os.Stat(at)
	if err != nil {
		f.Err = bare(err)
		return f
	}
	f.Bytes = info.Size()
	limit := o.MaxBytes
	if limit == 0 {
		limit = defaultMaxBytes
	}
	f.ContentType = o.Type
	if f.ContentType == "" {
		if f.ContentType, f.Err = contentType(at); f.Err != nil {
			f.Err = bare(f.Err)
			return f
		}
	}
	switch {
	case f.Bytes == 0:
		f.Skipped = "is empty"
	case f.Bytes > limit:
		f.Err = fmt.Errorf("%d bytes; at most %d are sent", f.Bytes, limit)
	case f.ContentType == "" && named:
		f.Err = errors.New("nobody can tell what it is: name its type")
	case f.ContentType == "":
		f.Skipped = "is of no type that is read"
	}
	return f
}

// bare takes the path out of an error of the file system, which stands beside it.
func bare(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}
