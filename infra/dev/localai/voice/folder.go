package voice

import (
	"context"
	"errors"
	"io"
	"io/fs"

	"github.com/tetratelabs/wazero/experimental/sys"
	wasi "github.com/tetratelabs/wazero/sys"
)

// The names under which a run of the program has its files.
const (
	textFile = "text"
	waveFile = "wave"
)

// errLong is speech that is longer than a run may write.
var errLong = errors.New("it would take more than half an hour: speak it in parts")

// folder is all that a run of the program sees of a file system: two files in memory, the text and what it writes. Nothing of
// it is on a disk, so nothing is left of a run that ended in the middle. It also ends a run, whose every sentence comes by here.
type folder struct {
	sys.UnimplementedFS
	ctx        context.Context
	text, wave *file
	room       int // bytes that the wave may have
	failed     error
}

func newFolder(ctx context.Context, text string, room int) *folder {
	return &folder{ctx: ctx, text: &file{data: []byte(text)}, wave: &file{}, room: room}
}

// end ends the run: wazero takes this panic for the program's own exit.
func (f *folder) end(err error) {
	f.failed = err
	panic(wasi.NewExitError(1))
}

// OpenFile opens one of the two files, or the folder itself.
func (f *folder) OpenFile(path string, flag sys.Oflag, _ fs.FileMode) (sys.File, sys.Errno) {
	if err := f.ctx.Err(); err != nil {
		f.end(err)
	}
	switch path {
	case ".":
		return &handle{folder: f}, 0
	case textFile:
		return &handle{folder: f, file: f.text}, 0
	case waveFile:
		if flag&sys.O_TRUNC != 0 {
			f.wave.data = f.wave.data[:0]
		}
		return &handle{folder: f, file: f.wave}, 0
	}
	return nil, sys.ENOENT
}

// file is the bytes of one.
type file struct{ data []byte }

// handle is a file that is open, with a place of its own in it; without a file it is the folder.
type handle struct {
	sys.UnimplementedFile
	folder *folder
	file   *file
	at     place
}

// place is a place in a file. wazero's Seek is not io.Seeker's, for which go vet takes every one that has an int64 by this name.
type place = int64

// IsDir says whether it is the folder.
func (h *handle) IsDir() (bool, sys.Errno) { return h.file == nil, 0 }

// Stat tells the kind and the size.
func (h *handle) Stat() (wasi.Stat_t, sys.Errno) {
	if h.file == nil {
		return wasi.Stat_t{Mode: fs.ModeDir | 0o700, Nlink: 1}, 0
	}
	return wasi.Stat_t{Mode: 0o600, Nlink: 1, Size: int64(len(h.file.data))}, 0
}

// Read reads on from where the handle is.
func (h *handle) Read(buf []byte) (int, sys.Errno) {
	if h.at >= int64(len(h.file.data)) {
		return 0, 0
	}
	n := copy(buf, h.file.data[h.at:])
	h.at += int64(n)
	return n, 0
}

// Write writes where the handle is, over what is there and past its end.
func (h *handle) Write(buf []byte) (int, sys.Errno) {
	end := h.at + int64(len(buf))
	if end > int64(h.folder.room) {
		h.folder.end(errLong)
	}
	if more := end - int64(len(h.file.data)); more > 0 {
		h.file.data = append(h.file.data, make([]byte, more)...)
	}
	copy(h.file.data[h.at:], buf)
	h.at = end
	return len(buf), 0
}

// Seek moves the handle.
func (h *handle) Seek(offset place, whence int) (place, sys.Errno) {
	switch whence {
	case io.SeekCurrent:
		offset += h.at
	case io.SeekEnd:
		offset += int64(len(h.file.data))
	}
	if offset < 0 {
		return 0, sys.EINVAL
	}
	h.at = offset
	return offset, 0
}
