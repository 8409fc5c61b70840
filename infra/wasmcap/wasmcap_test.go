package wasmcap_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/wasmcap"
)

const head = "\x00asm\x01\x00\x00\x00"

func module(memory string) []byte {
	types := "\x01\x04\x01\x60\x00\x00"
	return []byte(head + types + "\x05" + string(rune(len(memory))) + memory + "\x00\x03\x02ab")
}

func TestCap(t *testing.T) {
	for _, c := range []struct {
		name, memory string
		max          int
		want         string
	}{
		{"without a maximum", "\x01\x00\x10", 96, "\x01\x01\x10\x80\x0c"},
		{"with a larger one", "\x01\x01\x10\x80\x40", 96, "\x01\x01\x10\x80\x0c"},
		{"with a smaller one", "\x01\x01\x10\x20", 96, "\x01\x01\x10\x20"},
		{"with a minimum of two bytes", "\x01\x00\x80\x01", 8, "\x01\x01\x80\x01\x80\x01"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := module(c.memory)
			before := bytes.Clone(in)
			out, err := wasmcap.Cap(in, c.max)
			require.NoError(t, err)
			assert.Equal(t, module(c.want), out)
			assert.Equal(t, before, in, "the input is left alone")
			again, err := wasmcap.Cap(out, c.max)
			require.NoError(t, err)
			assert.Equal(t, out, again)
		})
	}
}

func TestCapRefuses(t *testing.T) {
	for _, c := range []struct {
		name, in string
		max      int
		want     string
	}{
		{"nothing", "", 96, "offset 0"},
		{"another format", "\x7fELF....", 96, "offset 0"},
		{"only the header", head, 96, "no memory section"},
		{"a cut section head", head + "\x01", 96, "offset 8: ends early"},
		{"a section beyond the end", head + "\x01\x7f\x00", 96, "offset 8 has 127 bytes"},
		{"an endless size", head + "\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 96, "longer than 32 bits"},
		{"an empty memory section", head + "\x05\x00", 96, "ends early"},
		{"no limits", head + "\x05\x01\x01", 96, "ends early"},
		{"no minimum", head + "\x05\x02\x01\x00", 96, "minimum: ends early"},
		{"no maximum", head + "\x05\x03\x01\x01\x10", 96, "maximum: ends early"},
		{"two memories", head + "\x05\x05\x02\x00\x01\x00\x01", 96, "2 memories"},
		{"a shared memory", head + "\x05\x04\x01\x03\x10\x20", 96, "flags 0x3"},
		{"junk behind", head + "\x05\x04\x01\x00\x10\x20", 96, "1 bytes after"},
		{"a minimum above", head + "\x05\x04\x01\x00\x80\x08", 32, "starts with 64 MiB"},
		{"a maximum of nothing", head, 0, "between 1 and 4096"},
		{"a maximum of too much", head, 5000, "between 1 and 4096"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := wasmcap.Cap([]byte(c.in), c.max)
			assert.ErrorContains(t, err, c.want)
		})
	}
}

func FuzzCap(f *testing.F) {
	f.Add(module("\x01\x00\x10"), 96)
	f.Add([]byte(head+"\x05\x04\x01\x00\x80\x08"), 96)
	f.Fuzz(func(t *testing.T, in []byte, max int) {
		out, err := wasmcap.Cap(in, max)
		if err != nil {
			return
		}
		again, err := wasmcap.Cap(out, max)
		require.NoError(t, err)
		assert.Equal(t, out, again)
	})
}

// A real module, as the Go toolchain writes it.
func TestCapOfAGoProgram(t *testing.T) {
	dir := t.TempDir()
	src := filepath.Join(dir, "main.go")
	require.NoError(t, os.WriteFile(src, []byte("package main\nfunc main() {}\n"), 0o644))
	bin := filepath.Join(dir, "main.wasm")
	cmd := exec.CommandContext(context.Background(), "go", "build", "-o", bin, src)
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, strings.TrimSpace(string(out)))
	wasm, err := os.ReadFile(bin)
	require.NoError(t, err)
	capped, err := wasmcap.Cap(wasm, 96)
	require.NoError(t, err)
	assert.NotEqual(t, wasm, capped)
	assert.InDelta(t, len(wasm), len(capped), 8)
}
