package cli

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"levada.dev/infra/client"
	"levada.dev/workflows/chat"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/transfer"
)

type exportOptions struct {
	Platform platformOptions
	View     view
	Out      string
}

func newExport(g *globals) *cobra.Command {
	var o exportOptions
	cmd := &cobra.Command{
		Use:   "export TENANT --out FOLDER",
		Short: "Write all that a tenant has stored to a folder: documents, conversations, what was used",
		Long: "Writes documents.ndjson (a document a line, with the file of its text below texts/), sessions/<id>.json and usage.json. Called again, texts that are\n" +
			"there already are not fetched. The key needs the scopes export, chat and metrics.",
		Example: "  levada export acme --out acme-data",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.View.Stdout, o.View.Stderr, o.Platform.Tenant = cmd.OutOrStdout(), cmd.ErrOrStderr(), args[0]
			if o.Out == "" {
				return usagef("--out is required: a folder")
			}
			return o.Platform.run(cmd.Context(), o.export)
		},
	}
	o.Platform.bind(g, cmd)
	cmd.Flags().Lookup("tenant").Hidden = true
	cmd.Flags().StringVar(&o.Out, "out", "", "the folder, which is made")
	return cmd
}

func (o *exportOptions) export(ctx context.Context, c *client.Client) error {
	for _, dir := range []string{"texts", "sessions"} {
		if err := os.MkdirAll(filepath.Join(o.Out, dir), 0o700); err != nil {
			return err
		}
	}
	documents, err := o.documents(ctx, c.Far())
	if err != nil {
		return err
	}
	sessions, err := o.sessions(ctx, c)
	if err != nil {
		return err
	}
	usage, err := c.ExportUsage(ctx)
	if err != nil {
		return err
	}
	if err := o.write("usage.json", append(usage, '\n')); err != nil {
		return err
	}
	_, err = fmt.Fprintf(o.View.Stdout, "%s and %s in %s\n", count(documents, "document"), count(sessions, "conversation"), o.Out)
	return err
}

// exported is a line of documents.ndjson.
type exported struct {
	transfer.Card
	File string `json:"file,omitempty"` // of what was submitted or fetched
}

// documents writes the list, and the texts that are not there yet.
func (o *exportOptions) documents(ctx context.Context, far *transfer.Far) (n int, err error) {
	var list bytes.Buffer
	lines := json.NewEncoder(&list)
	lines.SetEscapeHTML(false)
	for cursor := ""; ; {
		cards, next, err := far.Cards(ctx, cursor)
		if err != nil {
			return n, err
		}
		if err := o.texts(ctx, far, cards); err != nil {
			return n, err
		}
		for _, card := range cards {
			x := exported{Card: card}
			if card.SHA256 != "" {
				x.File = textFile(card.DocID)
			}
			if err := lines.Encode(x); err != nil {
				return n, err
			}
		}
		n += len(cards)
		if cursor = next; next == "" {
			return n, o.write("documents.ndjson", list.Bytes())
		}
	}
}

// textFile is where a document's text is. An id may be no name of a file, and is in the list.
func textFile(docID string) string {
	sum := sha256.Sum256([]byte(docID))
	return "texts/" + hex.EncodeToString(sum[:16])
}

// texts writes the texts of documents, but those that are there already.
func (o *exportOptions) texts(ctx context.Context, far *transfer.Far, cards []transfer.Card) error {
	var missing []string
	for _, card := range cards {
		if card.SHA256 == "" {
			continue
		}
		b, err := os.ReadFile(filepath.Join(o.Out, textFile(card.DocID)))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err != nil || corpus.Sum(b) != card.SHA256 {
			missing = append(missing, card.DocID)
		}
	}
	return far.Texts(ctx, missing, func(card transfer.Card, text []byte) error { return o.write(textFile(card.DocID), text) })
}

// sessions writes each conversation to a file of its own.
func (o *exportOptions) sessions(ctx context.Context, c *client.Client) (n int, err error) {
	for s, err := range c.Sessions(ctx) {
		if err != nil {
			return n, err
		}
		if err := chat.CheckSessionID(s.SessionID); err != nil {
			return n, err // it is to be the name of a file
		}
		var b bytes.Buffer
		if err := c.ExportSession(ctx, s.SessionID, &b); err != nil {
			return n, err
		}
		if err := o.write("sessions/"+s.SessionID+".json", b.Bytes()); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

func (o *exportOptions) write(name string, b []byte) error {
	return writeWhole(filepath.Join(o.Out, filepath.FromSlash(name)), b)
}

// writeWhole writes a file whole, or not at all.
func writeWhole(file string, b []byte) error {
	if err := os.WriteFile(file+".part", b, 0o600); err != nil {
		return err
	}
	return os.Rename(file+".part", file)
}
