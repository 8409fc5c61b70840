package demo

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"levada.dev/events/fault"
	"levada.dev/infra/client"
	"levada.dev/workflows/job"
	"levada.dev/workflows/speech/audio"
)

// marker is the mark of a source, which nobody would read aloud.
var marker = regexp.MustCompile(`\s*\[\d+\]`)

// quiet is what nobody hears, of full scale.
const quiet = 0.005

// speak has an answer spoken, looks whether it can be heard, and writes it to a file. Asked again it is there, and the other tenant has nothing of it.
// It answers how many calls of a model that takes at least: none when an earlier demo had the same spoken.
func (s Show) speak(ctx context.Context, answer string) (calls int64, err error) {
	text := client.Speech{Text: marker.ReplaceAllString(answer, ""), Format: string(audio.WAV)}
	start := time.Now()
	first, err := s.spoken(ctx, s.Owner, text)
	if err != nil {
		return 0, err
	}
	took := time.Since(start)
	var sound bytes.Buffer
	if _, err := s.Owner.Sound(ctx, first.ID, &sound); err != nil {
		return 0, err
	}
	pcm, err := audio.ReadWAV(sound.Bytes())
	if err != nil {
		return 0, err
	}
	loud := audio.RMS(pcm)
	if loud < quiet || int64(sound.Len()) != first.Bytes {
		return 0, fmt.Errorf("job %s: %d of %d bytes, as loud as %.4f", first.ID, sound.Len(), first.Bytes, loud)
	}
	if err := os.MkdirAll(filepath.Dir(s.Audio), 0o755); err != nil {
		return 0, err
	}
	if err := os.WriteFile(s.Audio, sound.Bytes(), 0o644); err != nil {
		return 0, err
	}
	fmt.Fprintf(s.Out, "\nSpoken by %s of %s: %d characters, %.1f s of sound in %.2f s, in %s\n", first.Voice, first.Model, first.Characters,
		first.Duration().Seconds(), took.Seconds(), s.Audio)
	if !first.Shared {
		calls = 1
	}
	return calls, s.spokenOnce(ctx, text, first)
}

// spokenOnce asks for the same again, and looks for it as the other tenant.
func (s Show) spokenOnce(ctx context.Context, text client.Speech, first client.SpeechJob) error {
	again, err := s.Owner.Speak(ctx, text)
	if err != nil {
		return err
	}
	if again.ID == first.ID || again.State != job.Succeeded || !again.Shared {
		return fmt.Errorf("asked again, job %s is %s, and does not share what job %s has", again.ID, again.State, first.ID)
	}
	_, err = s.Other.SpeechJob(ctx, first.ID)
	if !fault.Is(err, fault.NotFound) {
		return fmt.Errorf("tenant %s asks for job %s: %w", s.Other.Tenant(), first.ID, err)
	}
	fmt.Fprintf(s.Out, "  asked again: %s at once, and nobody spoke; for tenant %s: %s\n", again.State, s.Other.Tenant(), fault.As(err).Code)
	return nil
}

// spoken is a job of speech that has ended well.
func (s Show) spoken(ctx context.Context, c *client.Client, text client.Speech) (client.SpeechJob, error) {
	j, err := c.Speak(ctx, text)
	if err != nil {
		return j, err
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	j, err = c.FollowSpeech(ctx, j.ID, nil)
	if err == nil && j.State != job.Succeeded {
		err = fmt.Errorf("job %s %s: %+v", j.ID, j.State, j.Error)
	}
	return j, err
}
