package verify

import (
	"bufio"
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"levada.dev/tenants"
)

// Segments is the chain that a folder of exported segments has: files as audit/ in the tenant's part of the bucket has them, one after the
// other from any on. The error is a *Break, or that a file cannot be read.
func Segments(tenant tenants.ID, folder fs.FS) (*Chain, int, error) {
	files, err := fs.Glob(folder, "*.ndjson")
	if err != nil {
		return nil, 0, err
	}
	slices.Sort(files)
	c := NewPiece(tenant, "segments", 0)
	for _, name := range files {
		c.where = "segment " + name
		from, to, ok := placesOf(name)
		if !ok {
			return c, 0, fmt.Errorf("%s is not the name of a segment, such as 000000000001-000000001000.ndjson", name)
		}
		if c.Len() > 0 && from > c.head.Seq+1 {
			return c, 0, c.broken(c.head.Seq+1, "it is missing: no segment has it, and later ones are there")
		}
		text, err := fs.ReadFile(folder, name)
		if err != nil {
			return c, 0, err
		}
		if err := c.lines(text); err != nil {
			return c, 0, err
		}
		if c.head.Seq != to {
			return c, 0, c.broken(c.head.Seq+1, "the segment ends with %d, and its name says %d", c.head.Seq, to)
		}
	}
	return c, len(files), nil
}

// lines adds the lines of a segment.
func (c *Chain) lines(text []byte) error {
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if err := c.Add(lines.Bytes()); err != nil {
			return err
		}
	}
	return lines.Err()
}

// placesOf is the places in the name of a segment.
func placesOf(name string) (from, to int64, ok bool) {
	first, last, ok := strings.Cut(strings.TrimSuffix(path.Base(name), ".ndjson"), "-")
	if !ok {
		return 0, 0, false
	}
	from, err := strconv.ParseInt(first, 10, 64)
	if err != nil || from < 1 {
		return 0, 0, false
	}
	to, err = strconv.ParseInt(last, 10, 64)
	return from, to, err == nil && to >= from
}

// Against holds a trail to what was exported of it: the first entry that is another, or is gone. What an erasure took, and what comes before a
// piece, is not held against it; but the entry that tells the erasure has to follow the last that was exported, where that is known.
func (c *Chain) Against(exported *Chain) error {
	if last := exported.hashOf(c.first.Seq - 1); c.first.Erases() && last != "" && last != c.first.Prev {
		return c.broken(c.first.Seq, "it says that all before it was erased, and does not follow what was exported: the erasure is made up")
	}
	for i := range exported.hashes {
		seq := exported.first.Seq + int64(i)
		switch got := c.hashOf(seq); {
		case got == "" && seq < c.first.Seq && (c.piece || c.first.Erases()):
		case got == "":
			return c.broken(seq, "it was exported, and is gone")
		case got != exported.hashOf(seq):
			return c.broken(seq, "it is not the one that was exported")
		}
	}
	return nil
}
