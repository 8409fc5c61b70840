package play_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/speech"
	"levada.dev/workflows/speech/audio"
	"levada.dev/workflows/speech/play"
)

// shelf keeps parts, and remembers who asked for what and what is still open.
type shelf struct {
	parts map[string]string // by tenant, reel and name
	fail  func(name string) error
	torn  int // bytes that are missing at the end of each part
	asked []string
	open  int
}

func (f *shelf) key(s tenants.Scope, reel, name string) string {
	return string(s.Tenant()) + " " + reel + " " + name
}

func (f *shelf) Put(_ context.Context, s tenants.Scope, reel, name string, part []byte) error {
	f.parts[f.key(s, reel, name)] = string(part)
	return nil
}

func (f *shelf) Open(ctx context.Context, s tenants.Scope, reel, name string, from, n int64) (io.ReadCloser, error) {
	f.asked = append(f.asked, fmt.Sprintf("%s %d+%d", name, from, n))
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if f.fail != nil {
		if err := f.fail(name); err != nil {
			return nil, err
		}
	}
	part, found := f.parts[f.key(s, reel, name)]
	if !found {
		return nil, fault.Missing("sound_not_found", "no part %s", name)
	}
	f.open++
	return &opened{iotest.HalfReader(strings.NewReader(part[from : from+n-int64(f.torn)])), f}, nil
}

func (f *shelf) Drop(context.Context, tenants.Scope, string) (bool, error) { return false, nil }

type opened struct {
	io.Reader
	shelf *shelf
}

func (o *opened) Close() error {
	o.shelf.open--
	return nil
}

// tapeOf keeps parts for a tenant and says what tape they are, and what its file is.
func tapeOf(t *testing.T, f *shelf, s tenants.Scope, format audio.Format, parts ...string) (speech.Tape, string) {
	t.Helper()
	tape := speech.Tape{Format: format, Rate: 8000, Channels: 1, Reel: "reel", Cuts: len(parts)}
	for i, part := range parts {
		name := fmt.Sprintf("p%d", i)
		require.NoError(t, f.Put(t.Context(), s, "reel", name, []byte(part)))
		tape.Parts = append(tape.Parts, speech.Part{Index: i, Name: name, Bytes: int64(len(part))})
	}
	header, err := tape.Header()
	require.NoError(t, err)
	return tape, string(header) + strings.Join(parts, "")
}

func newShelf() *shelf { return &shelf{parts: map[string]string{}} }

func TestAPlayerIsAFile(t *testing.T) {
	acme, globex := tenantstest.Two(t)
	for _, format := range []audio.Format{audio.WAV, audio.MP3} {
		f := newShelf()
		for _, s := range []tenants.Scope{acme, globex} {
			who := string(s.Tenant())
			tape, want := tapeOf(t, f, s, format, who+who+"1!", who+who+"the second", who+who+"33", "4444")
			p, err := play.New(t.Context(), f, s, tape)
			require.NoError(t, err)
			assert.Equal(t, int64(len(want)), p.Size())
			require.NoError(t, iotest.TestReader(p, []byte(want)), "as a file does, also after a seek")
			require.NoError(t, p.Close())
			assert.Zero(t, f.open)
		}
	}
}

// Each range of the file is read exactly, and no more is asked for than the parts that it lies in.
func TestEachRangeIsRead(t *testing.T) {
	acme, _ := tenantstest.Two(t)
	f := newShelf()
	tape, want := tapeOf(t, f, acme, audio.WAV, "abcd", "efghijkl", "mn")
	for from := range len(want) {
		for to := from + 1; to <= len(want); to++ {
			p, err := play.New(t.Context(), f, acme, tape)
			require.NoError(t, err)
			_, err = p.Seek(int64(from), io.SeekStart)
			require.NoError(t, err)
			f.asked = nil
			require.NoError(t, p.Cue(int64(to-from)))
			got, err := io.ReadAll(io.LimitReader(p, int64(to-from)))
			require.NoError(t, err)
			require.Equal(t, want[from:to], string(got), "%d to %d", from, to)
			bytes := 0
			for _, asked := range f.asked {
				var name string
				var at, n int
				_, err := fmt.Sscanf(strings.Replace(asked, "+", " ", 1), "%s %d %d", &name, &at, &n)
				require.NoError(t, err)
				bytes += n
			}
			require.Equal(t, max(0, to-max(from, audio.HeaderSize)), bytes, "%d to %d: %v", from, to, f.asked)
			require.NoError(t, p.Close())
		}
	}
	assert.Zero(t, f.open)
}

func TestMoreIsReadThanWasCued(t *testing.T) {
	acme, _ := tenantstest.Two(t)
	f := newShelf()
	tape, want := tapeOf(t, f, acme, audio.MP3, "abcd", "efgh")
	p, err := play.New(t.Context(), f, acme, tape)
	require.NoError(t, err)
	require.NoError(t, p.Cue(2))
	got, err := io.ReadAll(p)
	require.NoError(t, err)
	assert.Equal(t, want, string(got))
	assert.Equal(t, []string{"p0 0+2", "p0 2+2", "p1 0+4"}, f.asked)
}

func TestWhatGoesWrongIsKnown(t *testing.T) {
	acme, globex := tenantstest.Two(t)
	busy := fault.Unavailablef(nil, "store_unavailable", "no")
	for name, x := range map[string]struct {
		edit func(*shelf)
		as   tenants.Scope
		code string
		read string // before
	}{
		"another tenant's": {func(*shelf) {}, globex, "sound_not_found", ""},
		"a part is gone":   {func(f *shelf) { delete(f.parts, f.key(acme, "reel", "p1")) }, acme, "sound_not_found", "abcd"},
		"no answer":        {func(f *shelf) { f.fail = func(string) error { return busy } }, acme, "store_unavailable", ""},
		"a part is torn":   {func(f *shelf) { f.torn = 1 }, acme, play.CodeBroken, "abc"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newShelf()
			tape, _ := tapeOf(t, f, acme, audio.MP3, "abcd", "efgh")
			x.edit(f)
			p, err := play.New(t.Context(), f, x.as, tape)
			require.NoError(t, err)
			got, err := io.ReadAll(p)
			assert.Equal(t, x.code, fault.As(err).Code, "%v", err)
			assert.Equal(t, x.read, string(got))
			assert.Equal(t, err, p.Err())
			asked := len(f.asked)
			_, again := p.Read(make([]byte, 1))
			assert.Equal(t, err, again, "and nothing is read any more")
			assert.Len(t, f.asked, asked)
			require.NoError(t, p.Close())
			assert.Zero(t, f.open)

			var out bytes.Buffer
			for _, part := range tape.Parts {
				if err = play.Part(t.Context(), f, x.as, tape.Reel, part, &out); err != nil {
					break
				}
			}
			assert.Equal(t, x.code, fault.As(err).Code)
			assert.Equal(t, x.read, out.String())
			assert.Zero(t, f.open)
		})
	}
}

// A fault is known before the first byte, also when that is of the header.
func TestCueFindsWhatIsWrong(t *testing.T) {
	acme, _ := tenantstest.Two(t)
	f := newShelf()
	tape, want := tapeOf(t, f, acme, audio.WAV, "abcd")
	f.parts = nil
	for _, from := range []int64{0, int64(len(want)) - 1, int64(len(want)) + 1} {
		p, err := play.New(t.Context(), f, acme, tape)
		require.NoError(t, err)
		_, err = p.Seek(from, io.SeekStart)
		require.NoError(t, err)
		err = p.Cue(p.Size())
		if from > int64(len(want)) { // there is no such byte: nothing is to be read, and nothing is wrong
			require.NoError(t, err)
			continue
		}
		assert.True(t, fault.Is(err, fault.NotFound), "%v", err)
	}
	p, err := play.New(t.Context(), f, acme, tape)
	require.NoError(t, err)
	assert.NoError(t, p.Cue(10), "of the header alone, no part is asked for")
}

func TestWhatIsNotPlayed(t *testing.T) {
	acme, _ := tenantstest.Two(t)
	f := newShelf()
	tape, _ := tapeOf(t, f, acme, audio.MP3, "abcd", "efgh")
	short := tape
	short.Parts = tape.Parts[:1]
	_, err := play.New(t.Context(), f, acme, short)
	assert.Equal(t, "tape_incomplete", fault.As(err).Code)
	odd := tape
	odd.Format, odd.Channels = audio.WAV, 0
	_, err = play.New(t.Context(), f, acme, odd)
	require.Error(t, err)

	p, err := play.New(t.Context(), f, acme, tape)
	require.NoError(t, err)
	_, err = p.Seek(-1, io.SeekStart)
	require.Error(t, err)
	require.NoError(t, p.Close())
	_, err = p.Read(make([]byte, 4))
	require.Error(t, err, "it is closed")
	assert.False(t, errors.Is(err, io.EOF))
	assert.Empty(t, f.asked)
}
