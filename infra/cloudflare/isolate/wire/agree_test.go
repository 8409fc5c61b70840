//go:build unix

package wire_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/cloudflare/isolate/wire"
)

// The two halves agree: the glue decodes what Go wrote and writes it anew.
func TestJavaScriptAgrees(t *testing.T) {
	root, err := filepath.Abs("../../../..")
	require.NoError(t, err)
	node := filepath.Join(root, "node_modules", ".bin", "node")
	if _, err := os.Stat(node); err != nil {
		t.Fatalf("node is missing: run `npm ci` in %s first", root)
	}
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	frame, err := wire.Append(nil, nil, true, false, 0, -1, math.MaxInt32, int64(math.MaxInt64), int64(math.MinInt64), 0.1, math.Copysign(0, -1), math.Inf(1),
		"", "short", "grüße", strings.Repeat("lang 🎉", 50), strings.Repeat("a", 24)+"ä", all, json.RawMessage(`{"a":[1,"ü"]}`),
		[]float32{1, -0.5, math.SmallestNonzeroFloat32}, wire.List{1, wire.List{}, wire.List{"x", []byte{}}})
	require.NoError(t, err)
	const script = `const { decode, Frame } = await import(process.argv[1]);
		const b = new Uint8Array(Buffer.from(process.argv[2], "base64"));
		const f = new Frame();
		for (const v of decode(b, new DataView(b.buffer), 0, b.length)) f.add(v);
		process.stdout.write(Buffer.from(f.done()).toString("base64"));`
	cmd := exec.Command(node, "--input-type=module", "-e", script, filepath.Join(root, "infra", "glue", "wire.mjs"), base64.StdEncoding.EncodeToString(frame))
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	require.NoError(t, err, errs.String())
	back, err := base64.StdEncoding.DecodeString(string(out))
	require.NoError(t, err)
	assert.Equal(t, frame, back)
}
