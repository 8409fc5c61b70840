package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"levada.dev/infra/client"
	"levada.dev/tenants/quota"
	"levada.dev/workflows/job"
	"levada.dev/workflows/speech/audio"
)

type speakOptions struct {
	Platform platformOptions
	View     view
	Speech   client.Speech
	File     string
	Out      string
	Cost     foresight
	Stdin    io.Reader
}

func newSpeak(g *globals) *cobra.Command {
	var o speakOptions
	cmd := &cobra.Command{
		Use:   "speak [TEXT]",
		Short: "Speak a text, up to 200,000 characters, to a file",
		Long: "Has the tenant's voice speak a text, and writes the sound to a file. The text is what is given, or a file's (--file, - for standard\n" +
			"input). Headings of a long one are chapters. Before a long one (20,000 characters) it says about what that costs, and asks on a terminal;\n" +
			"--estimate says more. Who interrupts it leaves the job alone; the same command goes on with what there is.",
		Example: "  levada speak \"Water flows down the channel.\" --out water.wav\n  levada speak --file book.md --voice luna --out book.wav",
		RunE: func(cmd *cobra.Command, args []string) error {
			o.View.Stdout, o.View.Stderr, o.Stdin = cmd.OutOrStdout(), cmd.ErrOrStderr(), cmd.InOrStdin()
			if o.File != "-" {
				o.Cost.questions = questions(cmd)
			}
			if err := o.read(strings.Join(args, " ")); err != nil {
				return err
			}
			return o.Platform.run(cmd.Context(), o.run)
		},
	}
	o.Platform.bind(g, cmd)
	o.View.Platform = &o.Platform
	f := cmd.Flags()
	f.StringVarP(&o.File, "file", "f", "", "read the text from a file; - for standard input")
	f.StringVarP(&o.Out, "out", "o", "", "the file to write; default speech, with the end of its format's name")
	f.StringVar(&o.Speech.Voice, "voice", "", "a voice of the model, or an alias (GET /tts/voices lists them)")
	f.StringVar(&o.Speech.Model, "model", "", "the tenant's model or its fallback")
	f.StringVar(&o.Speech.Format, "format", "", "mp3, wav or opus, as far as the model gives it")
	f.Float64Var(&o.Speech.Speed, "speed", 0, "0.25 to 4; of wav alone")
	f.BoolVar(&o.Cost.Estimate, "estimate", false, "say what it would cost, and what is left of the budgets; speak nothing")
	f.BoolVar(&o.Cost.Yes, "yes", false, "do not ask before a long text")
	f.BoolVar(&o.View.JSON, "json", false, "print the job as JSON")
	return cmd
}

// read takes the text from where it is said to be.
func (o *speakOptions) read(text string) error {
	switch {
	case text != "" && o.File != "":
		return errors.New("there is a text and --file; give one of them")
	case text == "" && o.File == "":
		return errors.New("there is no text; give it in quotation marks, or name its file with --file")
	case o.File == "":
		o.Speech.Text = text
		return nil
	}
	in := o.Stdin
	if o.File != "-" {
		f, err := os.Open(o.File)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	b, err := io.ReadAll(in)
	o.Speech.Text = string(b)
	return err
}

// longSpeech is a text of which it is said what it costs.
const longSpeech = 20_000

func (o *speakOptions) run(ctx context.Context, c *client.Client) error {
	characters := int64(utf8.RuneCountInString(o.Speech.Text))
	work := client.Work{Capability: quota.Speech, Model: o.Speech.Model, Characters: &characters}
	if o.Cost.Estimate {
		return o.View.foresee(ctx, c, work)
	}
	if characters >= longSpeech {
		if err := o.Cost.agree(ctx, o.View.Stderr, c, count(int(characters), "character"), work); err != nil {
			return err
		}
	}
	j, err := c.Speak(ctx, o.Speech)
	if err != nil {
		return err
	}
	m := o.View.meter("speaking", j.Characters)
	done, err := c.FollowSpeech(ctx, j.ID, func(j client.SpeechJob) { m.count(j.Spoken, j.Characters) })
	m.clear()
	switch {
	case err != nil && ctx.Err() != nil:
		return fmt.Errorf("not followed to its end; job %s goes on, and the same command has what comes of it", j.ID)
	case err != nil:
		return err
	case done.State == job.Failed && done.Error != nil:
		return fmt.Errorf("job %s failed: %s (%s)%s", done.ID, cmp.Or(done.Error.Message, done.Error.Code), done.Error.Code, toDo(done.Error.Hint))
	case done.State != job.Succeeded:
		return fmt.Errorf("job %s %s", done.ID, done.State)
	}
	path, err := o.save(ctx, c, done)
	if err != nil {
		return err
	}
	return o.show(done, path)
}

func toDo(hint string) string {
	if hint == "" {
		return ""
	}
	return "; " + hint
}

// save writes the sound beside its file and then takes the file's place, so a file is whole.
func (o *speakOptions) save(ctx context.Context, c *client.Client, j client.SpeechJob) (path string, err error) {
	path = cmp.Or(o.Out, "speech"+audio.Format(j.Format).Ext())
	f, err := os.CreateTemp(filepath.Dir(path), ".speech-*")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.Remove(f.Name()) }() // there is none when all went well
	_, err = c.Sound(ctx, j.ID, f)
	if err = errors.Join(err, f.Chmod(0o644), f.Close()); err != nil {
		return "", err
	}
	return path, os.Rename(f.Name(), path)
}

func (o *speakOptions) show(j client.SpeechJob, path string) error {
	if o.View.JSON {
		return printJSON(o.View.Stdout, j)
	}
	paid := fmt.Sprintf("%d characters, %s", j.Cost.Characters, client.Dollars(j.Cost.Nanos))
	if j.Shared {
		paid = "spoken before, so not paid again"
	}
	fmt.Fprintf(o.View.Stdout, "%s: %s by %s of %s, %s, %d bytes, %s\n", path, j.Format, j.Voice, j.Model, j.Duration().Round(1e7), j.Bytes, paid)
	if len(j.Chapters) > 0 {
		t := newTable("from", "to", column{name: "chapter", spare: 1, most: 80})
		for _, c := range j.Chapters {
			t.add(clock(c.StartMS), clock(c.EndMS), c.Title)
		}
		t.draw(o.View.Stdout)
	}
	return nil
}

// clock is a time of a sound, as players show it.
func clock(ms int64) string {
	return fmt.Sprintf("%d:%02d:%06.3f", ms/3_600_000, ms/60_000%60, float64(ms%60_000)/1000)
}
