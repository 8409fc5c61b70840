package extract

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
)

// maxEntries is how many files a container may have. Each takes memory before anything of it is read.
const maxEntries = 10_000

// openZip reads the directory of a container.
func openZip(data []byte) (*zip.Reader, error) {
	if bytes.Count(data, []byte("PK\x01\x02")) > maxEntries {
		return nil, errors.New("too many files in a container")
	}
	return zip.NewReader(bytes.NewReader(data), int64(len(data)))
}

// maxToken is how long a tag, or a text between tags, may be. A decoder holds each of them whole.
const maxToken = 1 << 20

// bounded reads markup that may unpack to much more than a container shows: so much of it, and no part of it without
// a tag for long.
type bounded struct {
	from io.Reader
	left *int64
	run  int // bytes since the last end of a tag or of a text
}

// Read implements io.Reader.
func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.from.Read(p)
	if *b.left -= int64(n); *b.left < 0 {
		return 0, expands()
	}
	if i := bytes.LastIndexAny(p[:n], "<>"); i >= 0 {
		b.run = n - i
	} else {
		b.run += n
	}
	if b.run > maxToken {
		return 0, expands()
	}
	return n, err
}
