package events

import "slices"

// Stage is a queue of the pipeline; its value is the queue's name in the stack.
type Stage string

// The stages. A fact of StageNone is for the audit trail only.
const (
	StageNone   Stage = ""
	StageFetch  Stage = "fetch"
	StageIngest Stage = "ingest"
	StageEmbed  Stage = "embed"
	StageIndex  Stage = "index"
	StageSpeech Stage = "speech"
	StageNotify Stage = "notify"
	StageAudit  Stage = "audit"
)

// Spec is what the platform knows of one type of event.
type Spec struct {
	Type     string
	Stage    Stage       // the queue it goes to
	New      func() Fact // a pointer to a zero fact, for Event.As
	Says     string      // for people: what has happened
	Producer string      // who tells it
	Consumer string      // who reacts, besides the audit trail
}

// specs is every type, in the order of a document's way. Each has a schema in events/schema and a golden in testdata.
var specs = [...]Spec{
	{
		Type: TypeDocumentRequested, Stage: StageFetch, New: func() Fact { return new(DocumentRequested) },
		Says:     "A document was accepted that is given by its address, and is to be fetched there.",
		Producer: "the ledger (outbox)", Consumer: "consumers/fetch",
	},
	{
		Type: TypeDocumentSubmitted, Stage: StageIngest, New: func() Fact { return new(DocumentSubmitted) },
		Says:     "A document is here: its text is stored, and a job follows it.",
		Producer: "the ledger (outbox), consumers/fetch", Consumer: "consumers/chunk",
	},
	{
		Type: TypeDocumentChunked, Stage: StageEmbed, New: func() Fact { return new(DocumentChunked) },
		Says:     "One slice of a document's chunks is ready to be embedded.",
		Producer: "consumers/chunk", Consumer: "consumers/embed",
	},
	{
		Type: TypeChunksEmbedded, Stage: StageIndex, New: func() Fact { return new(ChunksEmbedded) },
		Says:     "The same slice has its vectors.",
		Producer: "consumers/embed", Consumer: "consumers/index",
	},
	{
		Type: TypeDocumentIndexed, Stage: StageNone, New: func() Fact { return new(DocumentIndexed) },
		Says:     "Every chunk of the generation is in the index, and searches find it.",
		Producer: "consumers/index, the ledger (outbox)",
	},
	{
		Type: TypeDocumentFailed, Stage: StageNone, New: func() Fact { return new(DocumentFailed) },
		Says:     "The generation will not become searchable.",
		Producer: "the ledger (outbox)",
	},
	{
		Type: TypeImportStarted, Stage: StageIngest, New: func() Fact { return new(ImportStarted) },
		Says:     "An import was opened: a job follows it, and its documents are going to be taken.",
		Producer: "the ledger (outbox)", Consumer: "consumers/imports",
	},
	{
		Type: TypeImportCompleted, Stage: StageIngest, New: func() Fact { return new(ImportCompleted) },
		Says:     "Every document of an import is final.",
		Producer: "the ledger (outbox)", Consumer: "consumers/imports",
	},
	{
		Type: TypeDocumentRetired, Stage: StageIngest, New: func() Fact { return new(DocumentRetired) },
		Says:     "What was written for versions of the document that nobody needs any more is still to be removed: whoever would have done so was not heard of.",
		Producer: "the ledger (outbox)", Consumer: "consumers/erase",
	},
	{
		Type: TypeDocumentDeleted, Stage: StageIngest, New: func() Fact { return new(DocumentDeleted) },
		Says:     "No search shows the document any more; what is stored of it is to be erased.",
		Producer: "the ledger (outbox)", Consumer: "consumers/erase",
	},
	{
		Type: TypeDocumentErased, Stage: StageNone, New: func() Fact { return new(DocumentErased) },
		Says:     "The vectors and texts of a deleted document are gone from the stores, which were asked.",
		Producer: "the ledger (outbox)",
	},
	{
		Type: TypeTenantErasureRequested, Stage: StageIngest, New: func() Fact { return new(TenantErasureRequested) },
		Says:     "Everything that is stored of the tenant is to be erased, and nothing new is taken meanwhile.",
		Producer: "the ledger (outbox)", Consumer: "consumers/erasure",
	},
	{
		Type: TypeTenantErased, Stage: StageNone, New: func() Fact { return new(TenantErased) },
		Says:     "What was stored of the tenant is gone from the stores, which were asked.",
		Producer: "the ledger (outbox)",
	},
	{
		Type: TypeTenantEmbeddingRequested, Stage: StageIngest, New: func() Fact { return new(TenantEmbeddingRequested) },
		Says:     "The documents of the tenant are to be brought to another embedding model's space, or what is in one is to be removed.",
		Producer: "the ledger (outbox)", Consumer: "consumers/reembed",
	},
	{
		Type: TypeTenantEmbeddingSwitched, Stage: StageNone, New: func() Fact { return new(TenantEmbeddingSwitched) },
		Says:     "Searches of the tenant use another embedding model's space from now on.",
		Producer: "the ledger (outbox)",
	},
	{
		Type: TypeTenantTransferRequested, Stage: StageIngest, New: func() Fact { return new(TenantTransferRequested) },
		Says:     "What another pool has of the tenant is to be brought here.",
		Producer: "the ledger (outbox)", Consumer: "consumers/transfer",
	},
	{
		Type: TypeSpeechRequested, Stage: StageSpeech, New: func() Fact { return new(SpeechRequested) },
		Says:     "A text is to be spoken: jobs wait for it.",
		Producer: "the booth (outbox)", Consumer: "consumers/speak",
	},
	{
		Type: TypeSpeechSynthesized, Stage: StageNotify, New: func() Fact { return new(SpeechSynthesized) },
		Says:     "A text was spoken, and its sound is there for the jobs that waited for it.",
		Producer: "the booth (outbox)", Consumer: "consumers/notify",
	},
	{
		Type: TypeSpeechFailed, Stage: StageNotify, New: func() Fact { return new(SpeechFailed) },
		Says:     "A text will not be spoken.",
		Producer: "the booth (outbox)", Consumer: "consumers/notify",
	},
	{
		Type: TypeChatCompleted, Stage: StageNone, New: func() Fact { return new(ChatCompleted) },
		Says:     "A turn of a conversation has ended, well or not.",
		Producer: "the session (outbox)",
	},
	{
		Type: TypeUsageRecorded, Stage: StageNone, New: func() Fact { return new(UsageRecorded) },
		Says:     "Calls of models were booked in the tenant's account, or what was booked by estimate was put right.",
		Producer: "the ledger of money (outbox)",
	},
	{
		Type: TypeBudgetExhausted, Stage: StageNone, New: func() Fact { return new(BudgetExhausted) },
		Says:     "A budget has refused a call, for the first time in its period.",
		Producer: "the ledger of money (outbox)",
	},
	{
		Type: TypeLettersReplayed, Stage: StageNone, New: func() Fact { return new(LettersReplayed) },
		Says:     "Somebody had dead letters sent again.",
		Producer: "the box of dead letters (outbox)",
	},
	{
		Type: TypeActAttempted, Stage: StageNone, New: func() Fact { return new(ActAttempted) },
		Says:     "Somebody is going to do something that is on record: an act of an administrator, a deletion, a replay. It is recorded before it is tried.",
		Producer: "the API",
	},
	{
		Type: TypeActPerformed, Stage: StageNone, New: func() Fact { return new(ActPerformed) },
		Says:     "What was attempted has ended, and how.",
		Producer: "the API",
	},
	{
		Type: TypeAccessRefused, Stage: StageNone, New: func() Fact { return new(AccessRefused) },
		Says:     "Somebody was not let in, or not to what was asked for.",
		Producer: "the API",
	},
	{
		Type: TypeTextFlagged, Stage: StageNone, New: func() Fact { return new(TextFlagged) },
		Says:     "The tenant's safety policy has found something in the texts of a request, which went on or was refused.",
		Producer: "the API",
	},
	{
		Type: TypeToolStarted, Stage: StageNone, New: func() Fact { return new(ToolStarted) },
		Says:     "A tool that writes is about to be run.",
		Producer: "workflows/tools",
	},
	{
		Type: TypeToolExecuted, Stage: StageNone, New: func() Fact { return new(ToolExecuted) },
		Says:     "A call of a tool has ended: well, not well, or before it began.",
		Producer: "workflows/tools",
	},
	{
		Type: TypeAlertFired, Stage: StageNotify, New: func() Fact { return new(AlertFired) },
		Says:     "What is counted of the tenant has come to where one of its rules has it be told.",
		Producer: "the meters (outbox)", Consumer: "consumers/notify",
	},
	{
		Type: TypeAlertResolved, Stage: StageNotify, New: func() Fact { return new(AlertResolved) },
		Says:     "The rule does not hold any more, was changed, or was removed.",
		Producer: "the meters (outbox)", Consumer: "consumers/notify",
	},
	{
		Type: TypeEventRecorded, Stage: StageAudit, New: func() Fact { return new(EventRecorded) },
		Says:     "Events were published: their envelopes and digests, for the audit trail.",
		Producer: "the publisher", Consumer: "consumers/audit",
	},
}

// Specs lists every type of event.
func Specs() []Spec { return slices.Clone(specs[:]) }

// Stages are the queues that facts go to, in the order of specs.
func Stages() []Stage { return slices.Clone(stages) }

var stages = listStages()

func listStages() (all []Stage) {
	for _, s := range specs {
		if s.Stage != StageNone && !slices.Contains(all, s.Stage) {
			all = append(all, s.Stage)
		}
	}
	return all
}

// SpecOf looks a type up.
func SpecOf(typ string) (Spec, bool) {
	for _, s := range specs {
		if s.Type == typ {
			return s, true
		}
	}
	return Spec{}, false
}
