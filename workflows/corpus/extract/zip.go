package extract

import (
	"archive/zip"
	"bytes"
	"errors"
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
