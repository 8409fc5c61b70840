package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"levada.dev/infra/client"
	"levada.dev/infra/local"
	"levada.dev/workflows/job"
	"levada.dev/workflows/speech/audio"
)

// Speech has texts spoken by a platform of its own: many short ones as jobs, some while the caller waits, a long one as a narration; and all of them by
// the voice alone, so that it shows what of the voice is left.
type Speech struct {
	Root, Dir string
	Lines     []string // short texts, of which Jobs are taken
	Jobs      int
	Streams   int
	Long      int // characters of the narration
	Progress  func(what string)
}

// SpeechResult is one way to have texts spoken.
type SpeechResult struct {
	Way   string        `json:"way"`
	Texts int           `json:"texts"`
	Chars int           `json:"characters"`
	Took  time.Duration `json:"tookNs"`
	Sound time.Duration `json:"soundNs"`    // how long all of it lasts
	Alone time.Duration `json:"aloneNs"`    // the same, straight to the voice, before and after, the mean; 0 where it was not tried
	First time.Duration `json:"firstNs"`    // until the first byte of sound, the median; of streams
	CPU   time.Duration `json:"platformNs"` // of Node and workerd
}

// RTF is the real-time factor: how long it took of how long it lasts.
func (r SpeechResult) RTF() float64 { return r.Took.Seconds() / r.Sound.Seconds() }

// voicesAtOnce is how many calls the voice alone gets at a time: what a take of the platform makes.
const voicesAtOnce = 3

// Run measures.
func (b Speech) Run(ctx context.Context) (all []SpeechResult, err error) {
	b.Progress("starting a platform")
	p, err := local.Start(ctx, local.Options{Root: b.Root, State: filepath.Join(b.Dir, "speech"), Build: filepath.Join(b.Dir, "roles"), Lexical: true})
	if err != nil {
		return nil, err
	}
	defer p.Stop()
	c := client.New(p.URL, "", &client.Options{Tenant: ingestTenant})
	texts := func(what string, n, lines int) (all []string) {
		for i := range n {
			var some []string
			for k := range lines {
				some = append(some, b.Lines[(i*lines+k)%len(b.Lines)])
			}
			all = append(all, fmt.Sprintf("%s %d. %s.", what, i, strings.Join(some, ". ")))
		}
		return all
	}
	b.Progress("warming up")
	if _, _, err := b.jobs(ctx, c, texts("Warm", 16, 1)); err != nil {
		return nil, err
	}
	long := strings.Repeat(strings.Join(b.Lines, ". ")+". ", 1+b.Long/1000)[:b.Long]
	for _, way := range []struct {
		name  string
		texts []string
		run   func(context.Context, *client.Client, []string) (sound, first time.Duration, err error)
	}{
		{"jobs of one sentence", texts("Job", b.Jobs, 1), b.jobs},
		{"streams of five sentences", texts("Stream", b.Streams, 5), b.streams},
		{"a narration", []string{strings.ToValidUTF8(long, "")}, b.jobs},
	} {
		b.Progress(fmt.Sprintf("%d %s", len(way.texts), way.name))
		r := SpeechResult{Way: way.name, Texts: len(way.texts)}
		for _, t := range way.texts {
			r.Chars += len([]rune(t))
		}
		before, err := b.alone(ctx, p.GatewayURL(), way.texts)
		if err != nil {
			return nil, err
		}
		cpu, _, err := usage(p.PID())
		if err != nil {
			return nil, err
		}
		start := time.Now()
		if r.Sound, r.First, err = way.run(ctx, c, way.texts); err != nil {
			return nil, fmt.Errorf("%s: %w", way.name, err)
		}
		r.Took = time.Since(start)
		if r.CPU, _, err = usage(p.PID()); err != nil {
			return nil, err
		}
		r.CPU -= cpu
		after, err := b.alone(ctx, p.GatewayURL(), way.texts)
		if err != nil {
			return nil, err
		}
		r.Alone = (before + after) / 2
		all = append(all, r)
	}
	return all, nil
}

// jobs has texts spoken as jobs, all of them at once, and follows each.
func (b Speech) jobs(ctx context.Context, c *client.Client, texts []string) (sound, _ time.Duration, err error) {
	var mu sync.Mutex
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(16)
	for _, text := range texts {
		g.Go(func() error {
			j, err := c.Speak(ctx, client.Speech{Text: text, Format: string(audio.WAV)})
			if err != nil {
				return err
			}
			if j, err = c.FollowSpeech(ctx, j.ID, nil); err != nil {
				return err
			}
			if j.State != job.Succeeded {
				return fmt.Errorf("job %s %s: %+v", j.ID, j.State, j.Error)
			}
			mu.Lock()
			defer mu.Unlock()
			sound += j.Duration()
			return nil
		})
	}
	return sound, 0, g.Wait()
}

// streams has texts spoken one after the other, and notes when the first sound of each came.
func (b Speech) streams(ctx context.Context, c *client.Client, texts []string) (sound, first time.Duration, err error) {
	var firsts []time.Duration
	for _, text := range texts {
		w := &firstByte{start: time.Now()}
		if _, err := c.Stream(ctx, client.Speech{Text: text, Format: string(audio.WAV)}, w); err != nil {
			return 0, 0, err
		}
		d, _, err := audio.Duration(w.all.Bytes())
		if err != nil {
			return 0, 0, err
		}
		sound += d
		firsts = append(firsts, w.took)
	}
	slices.Sort(firsts)
	return sound, firsts[len(firsts)/2], nil
}

// firstByte notes when sound came, which is behind the header.
type firstByte struct {
	start time.Time
	took  time.Duration
	all   bytes.Buffer
}

// Write implements io.Writer.
func (f *firstByte) Write(p []byte) (int, error) {
	n, err := f.all.Write(p)
	if f.took == 0 && f.all.Len() > audio.HeaderSize {
		f.took = time.Since(f.start)
	}
	return n, err
}

// alone is how long the voice takes for the texts with nothing else to do.
func (b Speech) alone(ctx context.Context, server string, texts []string) (time.Duration, error) {
	start := time.Now()
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(voicesAtOnce)
	for _, text := range texts {
		for piece := range slices.Chunk([]rune(text), 1000) {
			g.Go(func() error { return say(ctx, server, string(piece)) })
		}
	}
	err := g.Wait()
	return time.Since(start), err
}

// say asks the server behind the AI binding, past any gateway.
func say(ctx context.Context, server, text string) error {
	body, err := json.Marshal(map[string]any{
		"inputs":  map[string]any{"text": text, "speaker": "asteria", "encoding": "linear16", "container": "wav"},
		"options": map[string]any{},
	})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, server+"/run", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Cf-Consn-Model-Id", "@cf/deepgram/aura-1")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the voice answered %s", resp.Status)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

// SpeechTable shows the results.
func SpeechTable(results []SpeechResult) string {
	t := newTable("way", "texts", "characters", "sound s", "took s", "jobs/s", "real-time factor", "voice alone s", "of its speed", "first sound ms", "CPU ms a text, platform")
	for _, r := range results {
		first := ""
		if r.First > 0 {
			first = fmt.Sprintf("%.0f", float64(r.First.Microseconds())/1000)
		}
		t.AppendRow([]any{
			r.Way, r.Texts, r.Chars, fmt.Sprintf("%.0f", r.Sound.Seconds()), fmt.Sprintf("%.2f", r.Took.Seconds()), fmt.Sprintf("%.1f", float64(r.Texts)/r.Took.Seconds()),
			fmt.Sprintf("%.4f", r.RTF()), fmt.Sprintf("%.2f", r.Alone.Seconds()), fmt.Sprintf("%.2f x", r.Alone.Seconds()/r.Took.Seconds()), first,
			fmt.Sprintf("%.1f", float64(r.CPU.Microseconds())/1000/float64(r.Texts)),
		})
	}
	return t.Render()
}
