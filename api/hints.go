package api

import (
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/job"
)

// nextSteps says what to do about what went wrong with a document, by its code. Nobody keeps hints: a ledger keeps codes, and whoever asks
// later is told what is true then.
var nextSteps = map[string]string{
	"document_encrypted":       "save it without a password and submit it again",
	"document_has_no_text":     "a scan has pictures of its pages only: recognise the text (OCR) and submit that",
	"document_broken":          "open it in a program of its kind and save it again, or check that it arrived whole",
	"document_expands":         "divide it into several documents",
	"document_too_many_chunks": "raise chunking.maxTokens, or divide it into several documents",
	"document_empty":           "submit a text, or leave the document out",
	"document_too_large":       "divide it into several documents, or raise limits.documentBytes of the tenant",
	"line_too_long":            "divide the document, or raise limits.bodyBytes of the tenant",
	"content_type_unsupported": "say its content type; " + corpus.SupportedTypes,
	"unknown_field":            "GET /openapi.json names the fields",
	"metadata_type":            "search.filterable of the tenant says which type it has",
	"address_denied":           "only public addresses are asked",
	"import_found_nothing":     "check the prefix, with which names of the tenant's files begin (docs/, for example), or what is at the sitemap's address",
	"fetch_downgraded":         "submit the https address of the document itself, or the http one if it is to be had in no other way",
	"fetch_refused":            "check the address in a browser that is not signed in",
	"space_incomplete":         "the job's errors name documents that are missing; when the cause is gone, the same POST /tenant/embedding goes on",
	"move_too_long":            "the same POST /tenant/embedding goes on",
	"index_behind":             "the same POST /tenant/embedding goes on",
	"space_not_empty":          "the same DELETE /tenant/embedding goes on",
	"passage_missing":          "submit the document again",
	"space_left":               "submit the document again",
	"attempts_exhausted":       "GET /events has its letter; when the cause is gone, POST /events/replay sends it again",
}

// adviseJob gives what a job says its hints.
func adviseJob(j *job.Job) {
	advised(j.Errors)
	if j.Note != nil {
		j.Note = &advised([]job.Problem{*j.Note})[0]
	}
}

// advised gives problems their hints. Those that have one keep it. It writes to the list that it is given.
func advised(ps []job.Problem) []job.Problem {
	for i := range ps {
		if ps[i].Hint == "" {
			ps[i].Hint = nextSteps[ps[i].Code]
		}
	}
	return ps
}

// adviseDocument gives a document that failed its hint.
func adviseDocument(d *corpus.Document) {
	if d.Why != nil && d.Why.Code == corpus.WhyFailed {
		why := *d.Why
		why.Hint, d.Why = nextSteps[why.Error], &why
	}
}
