package logbook_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/logbook"
)

func line(n int) string {
	return fmt.Sprintf(`{"time":"2026-11-23T09:00:%02dZ","level":"INFO","msg":"request","worker":"api","tenantId":"acme","status":%d}`+"\n", n%60, n)
}

// statuses are those of the lines that a folder has.
func statuses(t *testing.T, dir string) (all []int) {
	require.NoError(t, logbook.NewReader(dir, nil).Read(func(l logbook.Line) error {
		all = append(all, l.Status)
		return nil
	}))
	return all
}

func TestFilesAreBounded(t *testing.T) {
	dir := t.TempDir()
	b, err := logbook.Open(dir, &logbook.Options{MaxBytes: 1000})
	require.NoError(t, err)
	for n := range 100 {
		l := line(n)
		for _, piece := range []string{l[:n], l[n:]} { // however a pipe cuts it
			_, err := b.Write([]byte(piece))
			require.NoError(t, err)
		}
	}
	require.NoError(t, b.Close())
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, files, logbook.Files)
	for _, f := range files {
		info, err := f.Info()
		require.NoError(t, err)
		assert.LessOrEqual(t, info.Size(), int64(1000))
	}
	all := statuses(t, dir)
	assert.Equal(t, 99, all[len(all)-1])
	for i := range all[1:] {
		assert.Equal(t, all[i]+1, all[i+1], "in their order, and none is missing in between")
	}

	// The next start goes on.
	b, err = logbook.Open(dir, &logbook.Options{MaxBytes: 1000})
	require.NoError(t, err)
	_, err = b.Write([]byte(strings.TrimSuffix(line(100), "\n")))
	require.NoError(t, err)
	require.NoError(t, b.Close())
	all = statuses(t, dir)
	assert.Equal(t, []int{99, 100}, all[len(all)-2:], "what had no end is kept, too")
}

func TestFollowing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), logbook.Folder)
	assert.ErrorIs(t, logbook.NewReader(dir, nil).Read(func(logbook.Line) error { return nil }), fs.ErrNotExist)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var b *logbook.Book
	n, looks, caughtUp := 0, 0, 0
	write := func(text string) {
		_, err := b.Write([]byte(text))
		require.NoError(t, err)
	}
	pause := func(ctx context.Context) error { // something happens while nobody looks
		switch looks++; {
		case looks == 2:
			var err error
			b, err = logbook.Open(dir, &logbook.Options{MaxBytes: 500})
			require.NoError(t, err)
		case looks > 2 && looks < 30:
			write(line(n) + line(n+1))
			n += 2
		case looks == 30:
			write("fatal error: out of memory\n")
		case looks == 31:
			cancel()
		}
		return ctx.Err()
	}
	var got []int
	var died string
	require.NoError(t, logbook.NewReader(dir, pause).Follow(ctx, func(l logbook.Line) error {
		if l.NotALine {
			died = string(l.Raw)
			return nil
		}
		got = append(got, l.Status)
		return nil
	}, func() error { caughtUp++; return nil }))
	assert.Equal(t, 1, caughtUp)
	require.Len(t, got, 54)
	for i := range got {
		assert.Equal(t, i, got[i], "over all files that were begun meanwhile")
	}
	assert.Equal(t, "fatal error: out of memory", died)
	require.NoError(t, b.Close())

	stop := errors.New("enough")
	assert.ErrorIs(t, logbook.NewReader(dir, nil).Follow(t.Context(), func(logbook.Line) error { return stop }, func() error { return nil }), stop)
	assert.ErrorIs(t, logbook.NewReader(dir, nil).Follow(t.Context(), func(logbook.Line) error { return nil }, func() error { return stop }), stop)
}

// The beginning of a line may be there before its end, when the reader comes and whenever it looks again.
func TestALineMayComeInPieces(t *testing.T) {
	dir := t.TempDir()
	text := line(0) + line(1) + line(2)
	add := func(piece string) {
		f, err := os.OpenFile(filepath.Join(dir, "workers.jsonl"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		require.NoError(t, err)
		_, err = f.WriteString(piece)
		require.NoError(t, errors.Join(err, f.Close()))
	}
	at := len(line(0)) + 20
	add(text[:at])
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	pause := func(ctx context.Context) error {
		if at == len(text) {
			cancel()
			return ctx.Err()
		}
		end := min(at+50, len(text))
		add(text[at:end])
		at = end
		return nil
	}
	got := ""
	require.NoError(t, logbook.NewReader(dir, pause).Follow(ctx, func(l logbook.Line) error {
		got += string(l.Raw) + "\n"
		return nil
	}, func() error {
		assert.Equal(t, line(0), got, "a part is no line")
		return nil
	}))
	assert.Equal(t, text, got)
}

func TestFilter(t *testing.T) {
	at := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	l := logbook.Parse([]byte(`{"time":"2026-11-23T09:00:00Z","level":"WARN","msg":"events handled","worker":"consumers","tenantId":"acme","route":"/x","outcome":"failed","traceId":"0af7","traceIds":["0af7","b1"]}`))
	died := logbook.Parse([]byte("goroutine 1 [running]:"))
	for name, tc := range map[string]struct {
		filter     logbook.Filter
		line, died bool
	}{
		"nothing":         {logbook.Filter{}, true, true},
		"tenant":          {logbook.Filter{Tenant: "acme"}, true, false},
		"another tenant":  {logbook.Filter{Tenant: "globex"}, false, false},
		"worker":          {logbook.Filter{Worker: "consumers"}, true, false},
		"another worker":  {logbook.Filter{Worker: "api"}, false, false},
		"route":           {logbook.Filter{Route: "/x"}, true, false},
		"another route":   {logbook.Filter{Route: "/"}, false, false},
		"outcome":         {logbook.Filter{Outcome: "failed"}, true, false},
		"another outcome": {logbook.Filter{Outcome: "ok"}, false, false},
		"trace":           {logbook.Filter{Trace: "0af7"}, true, false},
		"one of a batch":  {logbook.Filter{Trace: "b1"}, true, false},
		"another trace":   {logbook.Filter{Trace: "c"}, false, false},
		"level":           {logbook.Filter{Level: slog.LevelWarn}, true, true},
		"a worse level":   {logbook.Filter{Level: slog.LevelError}, false, true},
		"since then":      {logbook.Filter{Since: at}, true, false},
		"since later":     {logbook.Filter{Since: at.Add(1)}, false, false},
		"all at once":     {logbook.Filter{Tenant: "acme", Worker: "consumers", Trace: "0", Level: slog.LevelWarn, Since: at}, true, false},
		"one does not do": {logbook.Filter{Tenant: "acme", Worker: "api", Trace: "0"}, false, false},
	} {
		assert.Equal(t, tc.line, tc.filter.Takes(l), name)
		assert.Equal(t, tc.died, tc.filter.Takes(died), name)
	}
	assert.True(t, logbook.Parse([]byte(`{"level":"INFO"}`)).NotALine)
	assert.True(t, logbook.Parse([]byte(`{"level":"LOUD","msg":"x"}`)).NotALine)
}
