package voice

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/experimental/sysfs"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

// Names are the voices, by the names that Flite has for them.
var Names = []string{"slt", "rms", "awb", "kal16", "kal"}

const (
	minStretch, maxStretch = 0.25, 4
	// maxWave is how many bytes a run may write: half an hour at 16 kHz.
	maxWave = 30 * 60 * 16_000 * 2
)

// Options of one text.
type Options struct {
	// Stretch is how long the speech takes, of what the voice takes by itself: 2 is half as
	// fast. 1 if zero, else 0.25 to 4. slt, rms and awb keep to it within 2 %, kal16 and kal
	// within 10 %.
	Stretch float64
}

// Engine speaks. It is safe for concurrent use; of what is asked of it at once, as much as
// there are processors is spoken, and the rest waits.
type Engine struct {
	program func() (*program, error)
	slots   chan struct{}
}

// program is Flite, compiled.
type program struct {
	runtime wazero.Runtime
	module  wazero.CompiledModule
}

// Open finds the program in the npm package's folder. It is read and compiled when it is needed first, which takes
// 0.2 s: most of the file is recordings. A cache of what was compiled would save a third of that, so there is none.
func Open(dir string) (*Engine, error) {
	path := filepath.Join(dir, "flite.wasm")
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("find the voices (npm ci installs them): %w", err)
	}
	return &Engine{
		program: sync.OnceValues(func() (*program, error) { return compile(path) }),
		slots:   make(chan struct{}, runtime.GOMAXPROCS(0)),
	}, nil
}

func compile(path string) (*program, error) {
	code, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the voices: %w", err)
	}
	// Not WithCloseOnContextDone: it looks at the context in every loop, and speech takes five times as long.
	// The folder looks at it instead, whenever a sentence is written.
	ctx := context.Background()
	p := &program{runtime: wazero.NewRuntime(ctx)}
	if _, err = wasi_snapshot_preview1.Instantiate(ctx, p.runtime); err == nil {
		p.module, err = p.runtime.CompileModule(ctx, code)
	}
	if err != nil {
		p.runtime.Close(ctx)
		return nil, fmt.Errorf("compile the voices: %w", err)
	}
	return p, nil
}

// Close frees the program. Nothing may be spoken any more.
func (e *Engine) Close() error {
	p, err := e.program()
	if err != nil {
		return nil // there is none to free, and whoever spoke was told why
	}
	return p.runtime.Close(context.Background())
}

// Speak answers the text as speech, at the voice's own rate. What cannot be spoken, such as emoji and other scripts, is
// skipped: a text of nothing else is silence of no length. Markup is read out. A context that is done ends it after the
// sentence that is being spoken.
func (e *Engine) Speak(ctx context.Context, voice, text string, o *Options) (*Wave, error) {
	if o == nil {
		o = &Options{}
	}
	stretch := o.Stretch
	if stretch == 0 {
		stretch = 1
	}
	if !slices.Contains(Names, voice) {
		return nil, fmt.Errorf("there is no voice %q: take one of %s", voice, strings.Join(Names, ", "))
	}
	if !(stretch >= minStretch && stretch <= maxStretch) {
		return nil, fmt.Errorf("a stretch of %v is not possible: take %v to %v", stretch, minStretch, maxStretch)
	}
	select {
	case e.slots <- struct{}{}:
		defer func() { <-e.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	p, err := e.program()
	if err != nil {
		return nil, err
	}
	f := newFolder(ctx, legible(text), maxWave)
	if err := p.run(ctx, f, voice, stretch); err != nil {
		return nil, fmt.Errorf("speak %d characters: %w", len([]rune(text)), err)
	}
	return readWave(f.wave.data)
}

// run has an instance of the program read the folder's text into its wave. The text is never an argument, so nothing in it is an
// option of the program.
func (p *program) run(ctx context.Context, f *folder, voice string, stretch float64) error {
	var said bytes.Buffer
	module, err := p.runtime.InstantiateModule(ctx, p.module, wazero.NewModuleConfig().
		WithName("").
		WithArgs("flite", "-voice", voice, "--setf", "duration_stretch="+strconv.FormatFloat(stretch, 'f', -1, 64), "-f", "/"+textFile, "-o", "/"+waveFile).
		WithFSConfig(wazero.NewFSConfig().(sysfs.FSConfig).WithSysFSMount(f, "/")).
		WithStderr(&said))
	if module != nil {
		module.Close(ctx)
	}
	switch {
	case f.failed != nil:
		return f.failed
	case err != nil:
		return fmt.Errorf("%w: %s", err, said.Bytes()[:min(said.Len(), 200)])
	}
	return ctx.Err()
}
