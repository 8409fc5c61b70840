package api

import (
	"net/http"

	"levada.dev/events/fault"
	"levada.dev/workflows/speech/audio"
	"levada.dev/workflows/speech/play"
	"levada.dev/workflows/tools"
	"levada.dev/workflows/tools/outside"
)

// statusClientLeft is for the log alone: nobody is there to read it.
const statusClientLeft = 499

// code is one way in which a request can fail, as clients match on it. Codes never change their meaning.
type code struct {
	name    string
	status  int
	meaning string
}

// codes is the one table of codes; docs/errors.md prints it. A code that is not in it gets the status of its fault's
// kind.
var codes = []code{
	// The request as a whole.
	{"tenant_required", 400, "The request names no tenant by header, host or key."},
	{"tenant_not_found", 404, "There is no such tenant in this deployment."},
	{"unauthorized", 401, "No key was sent, or nobody knows it."},
	{"tenant_mismatch", 403, "The key belongs to another tenant than the request names."},
	{"scope_denied", 403, "The key does not hold the scope of the route."},
	{"origin_denied", 403, "A web page of a foreign origin called a tenant that is open, or `/mcp`."},
	{"route_not_found", 404, "There is no such route."},
	{"method_not_allowed", 405, "The route has other methods; `details.allow` and the header `Allow` list them."},
	{"body_too_large", 413, "The body is above `details.limit` bytes: the tenant's limit, or what an instance has room for."},
	{"bodies_busy", 503, "Large bodies are being read, and there is no room for another. Try again after `Retry-After`."},
	{"body_incomplete", 400, "The body ended before its announced length."},
	{"unsupported_media_type", 415, "The body's content type is none that the route takes: `application/json`, or a form of CloudEvents."},
	{"unsupported_encoding", 415, "The body's content encoding is not supported."},

	// The body's JSON.
	{"body_empty", 400, "A JSON object is required, and nothing came."},
	{"invalid_json", 400, "The body is not JSON; `details.offset` is the byte where it stops being so."},
	{"json_too_deep", 400, "The JSON is nested too deeply."},
	{"json_too_complex", 400, "The JSON holds more than 50,000 values; `details.field` is the first that is too many. Each element and each member is one, and so is what holds them."},
	{"unknown_field", 400, "There is no such field; `details.field` is its path."},
	{"duplicate_field", 400, "A field occurs twice; `details.field` is its path."},
	{"invalid_type", 400, "The field at `details.field` has a value of the wrong type."},
	{"field_required", 400, "The field at `details.field` is required."},
	{"fields_exclusive", 400, "Of several fields exactly one may be sent."},
	{"value_out_of_range", 400, "The value at `details.field` is too small, too large, too short or too long."},
	{"invalid_value", 400, "The value at `details.field` is not one of those allowed, or badly formed."},
	{"invalid_query", 400, "The query parameter named by `details.field` is badly formed."},
	{"unknown_parameter", 400, "The route has no query parameter of the name `details.field`. Webhooks, `/mcp` and `/v1` take any."},

	// Ingest, documents, jobs.
	{"idempotency_key_invalid", 400, "The Idempotency-Key is longer than 255 characters or not printable ASCII."},
	{"idempotency_conflict", 409, "The Idempotency-Key was used for another request."},
	{"doc_id_taken", 409, "The id begins as those of another source's documents do (`idPrefix`), so this source may not write or delete the document."},
	{"doc_id_invalid", 400, "The docId is not a document id: 1 to 256 letters, digits and `. _ ~ : / @ + = , -`, a letter or a digit first."},
	{"document_too_large", 413, "The document is above the tenant's limit."},
	{"document_empty", 400, "The document holds no text."},
	{"content_type_unsupported", 415, "A document of this content type cannot be read."},
	{"text_not_utf8", 400, "The document's text is not UTF-8, and its content type says that it is."},
	{"document_encrypted", 400, "The document is protected with a password."},
	{"document_has_no_text", 400, "The document can be read, and has no text: a PDF of scanned pages, say."},
	{"document_broken", 400, "The document cannot be read as what its content type, or its first bytes, say it is."},
	{"document_too_many_chunks", 400, "The document would become more than 30,000 chunks: raise chunking.maxTokens, or divide it."},
	{"memory_busy", 503, "Large documents had all of an instance's memory for too long. It is tried again. Seen in a document."},
	{"document_expands", 400, "The document's text, or what it unpacks to, is above 16 MiB."},
	{"title_too_long", 400, "The title is longer than 500 characters."},
	{"source_too_long", 400, "The source is longer than 500 characters."},
	{"url_too_long", 400, "The url is longer than 2,048 bytes."},
	{"metadata_key_invalid", 400, "A metadata field's name is not one: 1 to 64 letters, digits, `_` and `-`, a letter or `_` first."},
	{"metadata_value_invalid", 400, "A metadata field is none of string, number, boolean, list of at most 64 strings."},
	{"metadata_invalid", 400, "The metadata cannot be written as JSON."},
	{"metadata_too_large", 400, "The metadata is above 4 KiB."},
	{"chunking_invalid", 400, "The chunks are smaller than 16 tokens, larger than what the tenant's embedding model reads, or overlap by more than half."},
	{"url_invalid", 400, "The url is not an http or https address, or holds a user name."},
	{"address_denied", 400, "The tenant's documents may not be fetched from this address, or from one that it redirects to. In `details.toolCode`: an HTTP tool may not call it."},
	{"fetch_downgraded", 400, "The server of the document's url redirects from https to http, which is not followed."},
	{"fetch_refused", 400, "The server of the document's url refused it for good, with 401, 403 or 404 for example."},
	{"fetch_too_large", 400, "The document at the url is above the tenant's limit."},
	{"fetch_failed", 503, "The server of the document's url did not answer, or not with the document. It is tried again."},
	{"metadata_type", 400, "A metadata field that searches filter on has a value of another type than the tenant configured."},
	{"backlog_full", 429, "Too much work is waiting; the document was not taken. Try again after `Retry-After`."},
	{"tenant_erasing", 409, "Everything of the tenant is being erased; nothing new is taken, and no model is called, until that has ended."},
	{"tenant_readonly", 503, "The tenant is being moved to another pool, and takes no changes meanwhile; no conversation goes on, and none is deleted. Try again after `Retry-After`: it is taken at the new place, or here if the move is called off."},
	{"transfer_running", 409, "Another run brings the tenant to this pool; one goes on at a time."},
	{"transfer_done", 409, "All of the tenant has been brought to this pool already; `\"again\": true` brings what has changed at the source since."},
	{"confirmation_required", 400, "The erasure of everything has to be confirmed: `confirm` is the tenant's id."},
	{"embedding_active", 409, "Searches use the space of this embedding model already, so there is nothing to change, and it cannot be removed."},
	{"embedding_moving", 409, "The tenant's embedding model is being changed, or the space of one emptied; one such thing goes on at a time."},
	{"space_empty", 409, "The tenant has no documents, so there is nothing to remove from the space of an embedding model."},
	{"space_unknown", 400, "The tenant has no document in the space of this embedding model."},
	{"text_erased", 409, "The document was erased while it was submitted, again and again. Send it again."},
	{"batch_refused", 400, "No line of the batch, or none of the addresses, is a document; `details.errors` names the first ones."},
	{"sitemap_invalid", 400, "What is at a sitemap's address is no sitemap, or an index within an index. Seen in an import's job."},
	{"import_too_large", 400, "There is more than one import takes; what is above that was left out. Seen in an import's job."},
	{"file_not_found", 404, "The file is gone that an import has listed. Seen in an import's job."},
	{"line_too_long", 400, "A line of a batch is longer than a request body may be."},
	{"document_not_found", 404, "The tenant has no such document."},
	{"text_not_found", 404, "The document's text is not stored."},
	{"range_not_satisfiable", 416, "The range lies outside of the text or the audio; `Content-Range` tells its size."},
	{"job_not_found", 404, "The tenant has no such job."},
	{"job_not_cancellable", 409, "The job is of a kind that cannot be cancelled: an erasure."},

	// Why a document, an import or an erasure has ended: seen in its job and in `notSearchable`, never as the status of an answer.
	{"superseded", 409, "A newer version of the document came first, or so many that this one gave way. Seen in a job."},
	{"cancelled", 409, "The job, or the import that it belongs to, was cancelled. Seen in a job."},
	{"deleted", 409, "The document was deleted while it was on its way. Seen in a job."},
	{"slices_disagree", 409, "The document was cut in two ways while it was processed, by two versions of the platform for example. Submit it again. Seen in a job."},
	{"import_found_nothing", 404, "The import has ended well, and brought nothing: no file has the prefix, or the sitemap names no page. A job's `note`, not one of its errors."},
	{"stuck", 503, "Nothing was heard of the document, the import, the erasure or the text that was to be spoken for too long, although it was sent again. Seen in a job."},
	{"attempts_exhausted", 503, "Each attempt to process the document died: it may be too large for an instance. Seen in a job."},
	{"erasure_busy", 503, "Calls of models that had begun before the erasure went on for an hour. Ask for the erasure again. Seen in a job."},
	{"erasure_incomplete", 503, "A store still showed something, however often it was removed. Ask for the erasure again. Seen in a job."},
	{"space_incomplete", 409, "Documents are missing in the space of the other embedding model, so searches were not switched to it. Seen in a job, which names them."},
	{"space_left", 409, "The document was on its way to the space of an embedding model that searches do not use any more. Submit it again. Seen in a job."},
	{"space_not_empty", 503, "The index of an embedding model still showed something, however often it was removed. Ask for the removal again. Seen in a job."},
	{"move_too_long", 409, "A change of the embedding model has brought as many documents to the other space as one job does. The same request brings the rest. Seen in a job."},
	{"index_behind", 503, "The index of an embedding model has not shown for long what was written to it, so searches were not switched to it. Ask for the move again. Seen in a job."},
	{"passage_missing", 409, "A chunk of the document is not where it should be, so it cannot be embedded again. Submit the document again. Seen in a job."},

	// Dead letters.
	{"letter_not_found", 404, "The tenant has no such letter, or it is not kept any more: letters are kept for 30 days."},

	{"generation_unknown", 404, "Nothing says which version of a document the letter's message was about. Submit the document again. Seen in what a replay has skipped."},
	{"speech_ended", 409, "The letter is about a text that was to be spoken, and the jobs that waited for it have failed. Ask for the speech again: it goes on with the parts that were kept. Seen in what a replay has skipped."},
	{"event_unrouted", 400, "Nobody handles messages of this type. Seen in letters, and in what a replay has skipped."},

	// What is counted.
	{"trace_not_found", 404, "No such trace is kept: nothing of it failed and it was not sampled, or it is more than a day old, or there were too many since."},
	{"alert_not_found", 404, "The tenant has no alert of this id."},
	{"alerts_full", 409, "The tenant has 50 alerts, which are as many as there may be. Remove one first."},

	// Webhooks.
	{"source_not_found", 404, "The tenant has no such source, or it has no webhook."},
	{"webhook_header_required", 400, "A header of the signature is missing; `details.field` names it."},
	{"webhook_header_invalid", 400, "A header of the signature or of the handshake is malformed; `details.field` names it."},
	{"webhook_stale", 400, "The delivery's timestamp is more than five minutes from now. Sign each attempt anew."},
	{"signature_invalid", 401, "No signature of the delivery is one of the source's secrets."},
	{"secrets_unavailable", 503, "The source's secrets are not published yet. Try again after `Retry-After`."},
	{"seal_key_missing", 503, "This deployment has no key to open the sources' secrets with."},
	{"event_invalid", 400, "The event is no CloudEvent 1.0; `details.field` names the attribute."},
	{"events_refused", 400, "None of the batch's events can be taken; `details.refused` says why, for each."},
	{"delivery_changed", 409, "The same `webhook-id` came with another event before: in the binary mode, whose headers are not signed, it stands for one."},
	{"batch_too_large", 413, "The batch has more than 1,000 events."},
	{"webhook_origin_denied", 403, "The source does not take events from this origin."},

	// Limits.
	{"rate_limited", 429, "Too many requests came, from the tenant or from this user at this address. Try again after `Retry-After`."},
	{"budget_exhausted", 429, "The call could overdraw one of the tenant's budgets of tokens, characters or money; `GET /usage` shows them. Try again after `Retry-After`."},
	{"audit_unavailable", 503, "An act is put on record before it is done, and the record was not taken: nothing was done. Of a tool it may also be that what was done was not recorded, so that it is not answered; with an Idempotency-Key the result is not lost. Try again after `Retry-After`."},
	{"quota_unavailable", 503, "The ledger of rates and budgets does not answer, and nothing passes without it. Try again after `Retry-After`."},

	// Chat. Those of a turn come in its `error` event when the answer has begun.
	{"message_too_long", 413, "What the request says to the model is above `details.limit` characters, the tenant's limit."},
	{"content_blocked", 400, "The text was taken for an attempt at what `error.message` says, and the tenant's policy (`safety.input`) is to block that. Nothing was reserved or paid."},
	{"safety_unavailable", 503, "The tenant's guard model did not answer in its time, and its policy is to block. Try again after `Retry-After`."},
	{"prompt_not_found", 404, "The tenant has published no such prompt."},
	{"prompt_too_long", 400, "With what was said before, the prompt does not fit the model."},
	{"model_not_allowed", 403, "The tenant's requests may not name this model."},
	{"model_refused", 400, "The model does not take the input."},
	{"model_unavailable", 503, "The model, and what stands in for it, failed. Try again."},
	{"model_broke_off", 502, "The model's answer broke off."},
	{"answer_too_long", 502, "The answer is longer than what is kept of a turn."},
	{"tool_call_unknown", 400, "The last answer of the session has no such call of a tool, or it has its result."},
	{"turn_in_progress", 409, "Another turn of the session is running. Follow the stream `details.streamId`, or wait for its end."},
	{"turn_interrupted", 503, "Who ran the turn has died, and the answer is not whole. Say it again."},
	{"turn_abandoned", 503, "The client left, and the answer took longer than a turn goes on without it."},
	{"session_deleted", 409, "The session was deleted while the turn was running."},
	{"session_not_found", 404, "The tenant has no such session."},
	{"session_taken", 409, "Of a move to this pool: the session has gone on here, and is otherwise at the source."},
	{"session_torn", 503, "Of a move to this pool: what came of the session is not what its digest says; it is fetched anew."},
	{"parcel_invalid", 400, "Of a move to this pool: the source sends what no session is."},
	{"stream_not_found", 404, "The tenant has no such stream, or its events are not kept any more."},
	{"last_event_id_invalid", 400, "The Last-Event-ID is not the id of an event."},

	// Search.
	{"search_late", 503, "A part of the search took too long. In an answer's `degraded`: the search was made without it."},
	{"filter_unknown_field", 400, "The tenant's searches cannot filter on the field."},
	{"filter_unknown_operator", 400, "There is no such operator."},
	{"filter_operator_type", 400, "The operator does not apply to the field's type."},
	{"filter_combination", 400, "A field takes one operator, or one lower and one upper bound."},
	{"filter_value_too_long", 400, "The index compares the first 64 bytes of a string; the value is longer."},
	{"filter_too_long", 400, "The filter is longer than the index takes (2 KiB)."},
	{"model_unknown", 400, "There is no such model, or the tenant is configured for an embedding model that the platform does not know."},
	{"model_busy", 503, "The model is busy. Try again after `Retry-After`."},
	{"model_quota", 429, "The quota of the model is used up. Try again after `Retry-After`."},

	// Speech.
	{"tts_not_enabled", 403, "Speech is not enabled for the tenant (`speech.enabled`)."},
	{"tts_not_configured", 501, "No model that speaks is configured for the tenant (`speech.model`), or none of its formats can be had on this platform."},
	{"text_required", 400, "The text has nothing that can be spoken: neither a letter nor a number."},
	{"text_too_long", 400, "The text is longer than 200,000 characters, or than the 5,000 that are spoken while the caller waits."},
	{"voice_unknown", 400, "The model has no such voice, and there is no such alias; `GET /tts/voices` lists them."},
	{"unsupported_format", 400, "The format cannot be had from the model, or not for a text of this length; `details.hint` lists those that can."},
	{"speed_unsupported", 400, "The speed of this format cannot be changed: samples are stretched, and it has none. Ask for `wav`, or for the speed 1."},
	{"audio_not_ready", 409, "The text is not spoken yet; `details.state` says where the job stands. Try again after `Retry-After`."},
	{"audio_failed", 409, "The text could not be spoken; `details.jobCode` is why."},
	{"audio_cancelled", 409, "The job was cancelled, and has no audio."},
	{"audio_expired", 410, "The audio is not kept any more (`speech.keepDays`). Ask for the speech again."},
	{"audio_differs", 503, "A part was spoken in another format than the first, or with another rate, however often it was asked for. Ask again later."},
	{audio.CodeEmpty, 400, "The voice has no sound for the text, or for a part of it: it speaks another language. Choose a voice for the text's own."},
	{"audio_unknown", 400, "What the model answered is no sound that is understood. Seen in a job."},
	{"audio_unreadable", 503, "What the model answered has no sound, or cannot be read, however often it was asked for. Ask again later, or for another model."},
	{"audio_too_long", 400, "The sound would be longer than a WAV can be. Seen in a job."},
	{"speech_late", 503, "Nothing was heard of the speech for two minutes. The job goes on, and `Content-Location` is where its audio will be."},
	{"webhook_refused", 503, "The server of `speech.webhook.url` answered 4xx. Seen in letters, as are the next four."},
	{"webhook_busy", 503, "That server answered 429 or 503."},
	{"webhook_failed", 503, "That server answered 5xx."},
	{"webhook_unreachable", 503, "That server did not answer within 10 seconds."},
	{"webhook_redirected", 503, "That server redirected; redirects are not followed."},
	{"isolate_ending", 503, "The instance had ended when the speech was to be made. It is spoken later; `Content-Location` is where its audio will be."},
	{play.CodeBroken, 503, "What is kept of the sound is not whole. Ask for it again."},

	// Tools. The first three say that the tool was not run, the next two that it was.
	{tools.CodeNotFound, 404, "The tenant has no such tool; `GET /schema/tools` lists those that it has."},
	{tools.CodeInvalid, 400, "The arguments do not fit the tool's schema, or the tool does not take them; `details.field` is the path."},
	{tools.CodeDenied, 403, "The key does not hold a scope that the tool needs, or a policy of the tenant forbids the argument at `details.field`."},
	{tools.CodeTimeout, 504, "The tool took longer than it may, and was cancelled."},
	{tools.CodeFailed, 502, "The tool was run and failed; `details.toolCode` is its own code."},
	{tools.CodeRunning, 409, "The call with this Idempotency-Key has not ended yet. Ask again with the key."},
	{"tools_busy", 503, "Calls with large arguments are running, and there was no room for another in ten seconds. Try again after `Retry-After`. In `details.toolCode`: there was none for the answer of an HTTP tool, whose server was asked."},
	{"call_cut_off", 503, "The call was cut off before the tool was run. Try again."},
	{"caller_left", 503, "The caller left, and the tool was cancelled. Seen in logs only."},
	{"tool_panicked", 502, "The tool broke down. Seen in `details.toolCode`."},
	{"result_invalid", 502, "What the tool returned is not what it promises. Seen in `details.toolCode`."},
	{"result_too_large", 502, "What the tool returned is above 4 MB, or holds more than 100,000 values, 10,000 from an outside server. Seen in `details.toolCode`."},
	// HTTP tools of tenants.
	{outside.CodeRefused, 502, "The server of an HTTP tool answered 4xx. Seen in `details.toolCode`."},
	{outside.CodeBusy, 502, "The server of an HTTP tool wants to be asked later; `Retry-After` has its wish, ten minutes at most. Seen in `details.toolCode`."},
	{outside.CodeFailed, 502, "The server of an HTTP tool answered 5xx. Seen in `details.toolCode`."},
	{outside.CodeUnreachable, 502, "The server of an HTTP tool did not answer, or not to the end. Seen in `details.toolCode`."},
	{outside.CodeRedirected, 502, "The server of an HTTP tool redirects where it is not followed. Seen in `details.toolCode`."},
	{outside.CodeTooLarge, 502, "The server of an HTTP tool answered more than 1 MiB. Seen in `details.toolCode`."},
	{outside.CodeNotJSON, 502, "The server of an HTTP tool answered no JSON, or not the JSON that the tool promises. Seen in `details.toolCode`."},
	{outside.CodeType, 502, "The server of an HTTP tool answered neither JSON nor text. Seen in `details.toolCode`."},
	{outside.CodeSecretMissing, 502, "The secret of an HTTP tool is not published. Seen in `details.toolCode`."},
	{outside.CodeSecretUnavailable, 502, "The secret of an HTTP tool could not be read for the moment. Seen in `details.toolCode`."},
	// The Model Context Protocol.
	{"mcp_session_required", 400, "A message of a revision before 2026-07-28 names no session in the header `mcp-session-id`, and is not `initialize`."},
	{"mcp_session_not_found", 404, "The session is not one of this key and tenant. Send `initialize` to begin one."},
	{"mcp_unavailable", 503, "What speaks the protocol did not answer. Try again after `Retry-After`."},

	// The platform.
	{"not_ready", 503, "Something the platform depends on does not answer; `details.failing` names it."},
	{"directory_unavailable", 503, "The configuration of tenants and keys cannot be read. Try again after `Retry-After`."},
	{"object_unavailable", 503, "What keeps the tenant's documents, sessions or account does not answer. Try again after `Retry-After`."},
	{"object_storage", 503, "What keeps the tenant's documents, sessions or account can neither read nor write. Try again after `Retry-After`."},
	{"store_unavailable", 503, "The store of the documents' texts does not answer. Try again after `Retry-After`."},
	{"index_unavailable", 503, "The vector index does not answer. Try again after `Retry-After`."},
	{"index_refused", 400, "The vector index does not take the search."},
	{"deadline_exceeded", 504, "The answer took too long."},
	{"client_closed_request", statusClientLeft, "The client left before the answer. Seen in logs only."},
	{"internal", 500, "Our mistake; the operators find its cause by the trace id."},
}

// byKind is the status of a code that is not in the table.
var byKind = map[fault.Kind]int{
	fault.Invalid:     http.StatusBadRequest,
	fault.Denied:      http.StatusForbidden,
	fault.NotFound:    http.StatusNotFound,
	fault.Conflict:    http.StatusConflict,
	fault.Limited:     http.StatusTooManyRequests,
	fault.Unavailable: http.StatusServiceUnavailable,
	fault.Internal:    http.StatusInternalServerError,
}

var statuses = func() map[string]int {
	m := make(map[string]int, len(codes))
	for _, c := range codes {
		m[c.name] = c.status
	}
	return m
}()

func statusOf(f *fault.Error) int {
	if status, ok := statuses[f.Code]; ok {
		return status
	}
	if status, ok := byKind[f.Kind]; ok {
		return status
	}
	return http.StatusInternalServerError
}
