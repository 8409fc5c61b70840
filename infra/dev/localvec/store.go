package localvec

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"sync/atomic"
	"time"
)

// Metric is how an index compares vectors.
type Metric string

// The platform's metrics. Cosine is better the larger; Euclidean is a distance and
// DotProduct a negated product, both better the smaller.
const (
	Cosine     Metric = "cosine"
	Euclidean  Metric = "euclidean"
	DotProduct Metric = "dot-product"
)

// Kind is the type of a metadata index: values of another type are not indexed.
type Kind string

// The types of metadata that can be filtered on.
const (
	String  Kind = "string"
	Number  Kind = "number"
	Boolean Kind = "boolean"
)

// Index configures one index.
type Index struct {
	Dimensions int
	Metric     Metric // Cosine if empty
	// Properties are the metadata indexes: the only properties a filter may name,
	// nested ones with dots. Ten at most.
	Properties map[string]Kind
}

// Options configure a Store.
type Options struct {
	Indexes map[string]Index
	// Delay is how long a mutation stays invisible. SetDelay changes it.
	Delay time.Duration
	// Now is the clock: time.Now if nil.
	Now func() time.Time
}

// Store holds indexes in memory and in a folder. It is an http.Handler for the
// entrypoint in infra/dev/standins; see http.go for its routes.
type Store struct {
	indexes map[string]*index
	down    atomic.Bool
	delay   atomic.Int64
	now     func() time.Time
	mux     *http.ServeMux
}

var indexName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)

// Open reads every configured index from dir, which it makes. A mutation is in its
// index's file before it is answered. The file is synced on Close and on
// compaction only: the end of the process loses nothing, a power cut may lose the
// last seconds. A torn last record is cut off, damage elsewhere is an error.
func Open(dir string, options Options) (*Store, error) {
	s := &Store{indexes: map[string]*index{}, now: options.Now}
	if s.now == nil {
		s.now = time.Now
	}
	s.SetDelay(options.Delay)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("localvec: %w", err)
	}
	for name, config := range options.Indexes {
		if err := config.check(name); err != nil {
			return nil, errors.Join(err, s.Close())
		}
		ix, err := openIndex(filepath.Join(dir, name+".vec"), config, s.now())
		if err != nil {
			return nil, errors.Join(fmt.Errorf("localvec: index %s: %w", name, err), s.Close())
		}
		s.indexes[name] = ix
	}
	s.mux = s.routes()
	return s, nil
}

func (c *Index) check(name string) error {
	if c.Metric == "" {
		c.Metric = Cosine
	}
	switch {
	case !indexName.MatchString(name):
		return fmt.Errorf("localvec: index name %q is not 1 to 64 of a-z, 0-9 and -", name)
	case c.Dimensions < 1 || c.Dimensions > maxDimensions:
		return fmt.Errorf("localvec: index %s: dimensions must be 1 to %d, got %d", name, maxDimensions, c.Dimensions)
	case c.Metric != Cosine && c.Metric != Euclidean && c.Metric != DotProduct:
		return fmt.Errorf("localvec: index %s: metric %q is unknown", name, c.Metric)
	case len(c.Properties) > maxProperties:
		return fmt.Errorf("localvec: index %s: at most %d metadata indexes, got %d", name, maxProperties, len(c.Properties))
	}
	for property, kind := range c.Properties {
		if kind != String && kind != Number && kind != Boolean {
			return fmt.Errorf("localvec: index %s: metadata index %s has the unknown type %q", name, property, kind)
		}
	}
	return nil
}

// SetDelay changes how long later mutations stay invisible.
func (s *Store) SetDelay(d time.Duration) { s.delay.Store(int64(d)) }

// SetDown has every query fail as that of an index which cannot be reached, or ends that.
func (s *Store) SetDown(down bool) { s.down.Store(down) }

// Delay answers how long a mutation stays invisible.
func (s *Store) Delay() time.Duration { return time.Duration(s.delay.Load()) }

// Close syncs and closes every file. Calls under way must have ended.
func (s *Store) Close() error {
	var errs []error
	for _, ix := range s.indexes {
		errs = append(errs, ix.close())
	}
	return errors.Join(errs...)
}
