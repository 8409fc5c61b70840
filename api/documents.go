package api

import (
	"bytes"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"

	"levada.dev/events/fault"
	"levada.dev/workflows/corpus"
)

// listDocuments answers the tenant's documents in the order of their ids. A page may be short, or empty, and have a next one.
func listDocuments(c *call) error {
	page, err := pageOf(c.r.URL)
	if err != nil {
		return err
	}
	q := corpus.Listing{
		State: corpus.State(page.query.Get("state")), Source: page.query.Get("source"), Prefix: page.query.Get("prefix"),
		Cursor: page.cursor, Limit: page.limit,
	}
	if q.State != "" && !slices.Contains(listedStates, q.State) {
		return fault.Invalidf("state", "invalid_query", "is none of %v", listedStates)
	}
	began := c.opts.Now()
	list, err := c.Catalogue.List(c.ctx(), c.scope, q)
	c.stage("ledger", began)
	if err != nil {
		return fmt.Errorf("list the documents: %w", err)
	}
	for i := range list.Documents {
		adviseDocument(&list.Documents[i])
	}
	return c.ok(http.StatusOK, list)
}

// listedStates are those that a document may have. A generation may also be replaced, but never the newest.
var listedStates = slices.DeleteFunc(slices.Clone(corpus.States), func(s corpus.State) bool { return s == corpus.Replaced })

// deleteDocument takes a document out of every search and begins its erasure, whose end is the receipt in its job.
func deleteDocument(c *call) error {
	began := c.opts.Now()
	receipt, err := c.Catalogue.Delete(c.ctx(), c.scope, corpus.Deletion{DocID: c.r.PathValue("id"), JobID: c.opts.NewID(), Cause: c.cause()})
	c.stage("ledger", began)
	if err != nil {
		return asMissing(fmt.Errorf("delete: %w", err))
	}
	return c.accepted(receipt, 0)
}

// asMissing says of a document that the ledger does not have what is said of all that are not there.
func asMissing(err error) error {
	if f := fault.As(err); f.Code == "document_not_found" {
		return errNoDocument
	}
	return err
}

var errNoDocument = fault.Missing("document_not_found", "there is no such document")

// showDocument answers what the ledger knows of a document.
func showDocument(c *call) error {
	d, err := c.document()
	if err != nil {
		return err
	}
	if d.Stages == nil {
		d.Stages = []corpus.StageTimes{}
	}
	adviseDocument(&d)
	return c.ok(http.StatusOK, d)
}

// stored is what is kept of a document: the bytes that came, or the text that was taken out of them.
type stored struct {
	key, sha256, contentType string
	attached                 bool // a browser must not show it
}

// showContent answers the text of a document, whole or in ranges of bytes, so that a chunk can be shown where it stands;
// with ?original=true what was submitted or fetched.
func showContent(c *call) error {
	original, err := originalWanted(c.r)
	if err != nil {
		return err
	}
	d, err := c.document()
	if err != nil {
		return err
	}
	kept, err := contentOf(d, original)
	if err != nil {
		return err
	}
	began := c.opts.Now()
	text, err := c.Texts.Get(c.ctx(), c.scope, kept.key)
	c.stage("texts", began)
	if err != nil {
		return fmt.Errorf("text of %s: %w", d.ID, err)
	}
	h := c.w.Header()
	h.Set("Content-Type", kept.contentType)
	h.Set("ETag", `"`+kept.sha256+`"`)
	h.Set("Cache-Control", "private, no-cache")
	h.Set("Content-Disposition", disposition(d, kept))
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Server-Timing", string(c.stages))
	w := &rangeWriter{ResponseWriter: c.w}
	refuseNothing(c.r, int64(len(text)))
	http.ServeContent(w, c.r, "", d.UpdatedAt, bytes.NewReader(text))
	if w.refused {
		return fault.Invalidf("", "range_not_satisfiable", "the text is %d bytes long", len(text))
	}
	return nil
}

func originalWanted(r *http.Request) (bool, error) {
	switch v := r.URL.Query().Get("original"); v {
	case "", "false":
		return false, nil
	case "true":
		return true, nil
	}
	return false, fault.Invalidf("original", "invalid_query", "original is true or false")
}

// contentOf is what answers for a document's content.
func contentOf(d corpus.Document, original bool) (stored, error) {
	format, err := corpus.FormatOf(d.ContentType)
	text := err == nil && format.Text()
	switch {
	case d.State == corpus.Deleted:
		return stored{}, fault.Missing("text_not_found", "the document was deleted")
	case d.TextKey == "":
		return stored{}, fault.Missing("text_not_found", "the document has not been fetched")
	case d.Derived != nil && !original:
		contentType := d.Derived.ContentType
		if contentType != "text/markdown" {
			contentType = "text/plain"
		}
		return stored{d.Derived.TextKey, d.Derived.SHA256, contentType + "; charset=utf-8", false}, nil
	case !text && !original:
		return stored{}, fault.Missing("text_not_found", "no text has been taken out of the document").
			WithHint("GET the same with ?original=true for what was submitted")
	}
	kept := stored{d.TextKey, d.SHA256, d.ContentType, original || d.ContentType != "text/plain" && d.ContentType != "text/markdown"}
	if text && corpus.Charset(d.ContentType) == "" && d.Derived == nil {
		kept.contentType += "; charset=utf-8"
	}
	return kept, nil
}

func (c *call) document() (corpus.Document, error) {
	id := c.r.PathValue("id")
	began := c.opts.Now()
	found, err := c.Ledger.Documents(c.ctx(), c.scope, []string{id})
	c.stage("ledger", began)
	if err != nil {
		return corpus.Document{}, err
	}
	if len(found) == 0 {
		return corpus.Document{}, errNoDocument
	}
	return found[0], nil
}

// disposition lets a browser show plain text and nothing that could act: a tenant's page must not run under our name.
func disposition(d corpus.Document, kept stored) string {
	if !kept.attached {
		return "inline"
	}
	name := d.ID[strings.LastIndexByte(d.ID, '/')+1:]
	if v := mime.FormatMediaType("attachment", map[string]string{"filename": name}); v != "" {
		return v
	}
	return "attachment"
}

// rangeWriter keeps back net/http's own plain-text answer to a range outside of the text.
type rangeWriter struct {
	http.ResponseWriter
	refused bool
}

// WriteHeader implements http.ResponseWriter.
func (w *rangeWriter) WriteHeader(status int) {
	if w.refused = status == http.StatusRequestedRangeNotSatisfiable; w.refused {
		for _, name := range []string{"ETag", "Content-Disposition", "Content-Security-Policy", "Last-Modified"} {
			w.Header().Del(name)
		}
		return
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *rangeWriter) Write(b []byte) (int, error) {
	if w.refused {
		return len(b), nil
	}
	return w.ResponseWriter.Write(b)
}
