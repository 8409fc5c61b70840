package main

import (
	"context"
	"maps"
	"testing"

	"github.com/stretchr/testify/require"

	"levada.dev/consumers/audit/audittest"
	"levada.dev/events"
	"levada.dev/events/eventstest"
	"levada.dev/events/meter/metertest"
	"levada.dev/infra/cloudflare/ai"
	"levada.dev/infra/cloudflare/isolate"
	"levada.dev/infra/cloudflare/kv"
	"levada.dev/infra/cloudflare/object"
	"levada.dev/infra/cloudflare/port"
	"levada.dev/infra/cloudflare/r2"
	"levada.dev/infra/cloudflare/workflow"
	"levada.dev/tenants"
	"levada.dev/tenants/quota/quotatest"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/cache/cachetest"
	"levada.dev/workflows/chat/chattest"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/corpus/corpustest"
	"levada.dev/workflows/flow"
	"levada.dev/workflows/flow/flowtest"
	"levada.dev/workflows/imports"
	"levada.dev/workflows/imports/importstest"
	"levada.dev/workflows/letters"
	"levada.dev/workflows/letters/letterstest"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/llm/llmtest"
	"levada.dev/workflows/reembed/reembedtest"
	"levada.dev/workflows/speech"
	"levada.dev/workflows/speech/speechtest"
	"levada.dev/workflows/tools"
	"levada.dev/workflows/tools/toolstest"
)

// suites is every suite by the name that it has in native tests.
func suites(ev event, arrived *arrivals) map[string]func(*testing.T) {
	small, err := llm.FindEmbedding("@cf/baai/bge-small-en-v1.5")
	if err != nil {
		panic(err)
	}
	bucket, namespace := r2.Open("CORPUS"), kv.Open("CONFIG")
	stored := claims{ev, port.NewClaims(bucket)}
	all := map[string]func(*testing.T){
		"TestLedger": func(t *testing.T) {
			corpustest.TestLedger(t, func(*testing.T) corpus.Ledger { return ledger{ev, port.NewLedger(object.Open("LEDGER"))} })
		},
		"TestImports": func(t *testing.T) {
			importstest.TestLedger(t, func(*testing.T) importstest.Book { return ledger{ev, port.NewLedger(object.Open("LEDGER"))} })
		},
		"TestCatalogue": func(t *testing.T) {
			corpustest.TestCatalogue(t, func(*testing.T) corpustest.Ledger { return ledger{ev, port.NewLedger(object.Open("LEDGER"))} })
		},
		"TestSpaces": func(t *testing.T) {
			reembedtest.TestLedger(t, func(*testing.T) reembedtest.Book { return ledger{ev, port.NewLedger(object.Open("LEDGER"))} })
		},
		"TestWitness": func(t *testing.T) {
			corpustest.TestWitness(t, witness{ev, port.NewLedger(object.Open("LEDGER"))})
		},
		"TestSessions": func(t *testing.T) {
			chattest.TestSessions(t, func(*testing.T) chattest.Ports { return conversations(ev) })
		},
		"TestShelf": func(t *testing.T) {
			chattest.TestShelf(t, func(*testing.T) chattest.Ports { return conversations(ev) })
		},
		"TestBox": func(t *testing.T) {
			letterstest.TestBox(t, func(*testing.T) letterstest.Box { return box{ev, port.NewLetters(object.Open("LETTERS"))} })
		},
		"TestOutboxOfLetters": func(t *testing.T) {
			letterstest.TestOutbox(t, func(*testing.T) letterstest.Post {
				return letterstest.Post{Box: box{ev, port.NewLetters(object.Open("LETTERS"))}, Receive: arrived.next}
			})
		},
		"TestUnread": func(t *testing.T) {
			letterstest.TestUnread(t, func(*testing.T) letterstest.Pile {
				return letterstest.Pile{Pile: unread{ev, port.NewUnread(bucket)}, Read: func(context.Context) ([]letters.Letter, error) {
					return pile(ev.in(context.Background()), bucket)
				}}
			})
		},
		"TestCalls": func(t *testing.T) {
			toolstest.TestCalls(t, func(*testing.T) tools.Calls { return calls{ev, port.NewCalls(object.Open("CALLS"))} })
		},
		"TestRunner": func(t *testing.T) {
			toolstest.TestRunner(t, func(*testing.T) toolstest.World {
				return toolstest.World{Calls: port.NewCalls(object.Open("CALLS")), Background: isolate.Go, Event: ev.in}
			})
		},
		"TestDesk": func(t *testing.T) {
			speechtest.TestDesk(t, func(*testing.T) speechtest.Studio { return studio{ev, port.NewSpeech(object.Open("SPEECH"))} })
		},
		"TestTended": func(t *testing.T) {
			speechtest.TestTended(t, func(*testing.T) speechtest.House {
				return speechtest.House{Studio: studio{ev, port.NewSpeech(object.Open("SPEECH"))}, Sounds: sounds{ev, port.NewSounds(bucket)}, Receive: arrived.next}
			})
		},
		"TestMeters": func(t *testing.T) {
			metertest.TestMeters(t, func(*testing.T) metertest.Meters { return meters{ev, port.NewMeters(object.Open("METERS"))} })
		},
		"TestRules": func(t *testing.T) {
			metertest.TestRules(t, func(*testing.T) metertest.Rules { return rules{ev, port.NewMeters(object.Open("METERS"))} })
		},
		"TestAnalytics": func(t *testing.T) { testAnalytics(t, ev) },
		"TestSounds": func(t *testing.T) {
			speechtest.TestSounds(t, func(*testing.T) speech.Sounds { return sounds{ev, port.NewSounds(bucket)} })
		},
		"TestTexts": func(t *testing.T) {
			corpustest.TestTexts(t, func(*testing.T) corpus.Texts { return texts{ev, port.NewTexts(bucket)} })
		},
		"TestVectors": func(t *testing.T) {
			corpustest.TestVectors(t, small, func(*testing.T) corpus.Vectors { return vectors{ev, port.Indexes()} })
		},
		"TestLexicon": func(t *testing.T) {
			corpustest.TestLexicon(t, func(*testing.T) corpus.Lexicon { return words{ev, newLexicon(1)} })
		},
		"TestLexiconOfShards": func(t *testing.T) {
			corpustest.TestLexicon(t, func(*testing.T) corpus.Lexicon { return words{ev, newLexicon(3)} })
		},
		"TestHalves": func(t *testing.T) { halves(t, ev, small) },
		"TestFilters": func(t *testing.T) {
			corpustest.TestFilters(t, small, vectors{ev, port.Indexes()}, words{ev, newLexicon(1)})
		},
		"TestEmbedder": func(t *testing.T) {
			llmtest.TestEmbedder(t, small, func(*testing.T) llm.Embedder { return embedder{ev, port.NewEmbedder(ai.Open("AI"), "suite")} })
		},
		"TestReranker": func(t *testing.T) {
			llmtest.TestReranker(t, func(*testing.T) llm.Reranker { return reranker{ev, port.NewReranker(ai.Open("AI"), "suite")} })
		},
		"TestSynthesizer":  func(t *testing.T) { testSynthesizer(t, ev) },
		"TestModelClassic": func(t *testing.T) { testModel(t, ev, "@local/script") },
		"TestModelOpenAI":  func(t *testing.T) { testModel(t, ev, "@local/script-openai") },
		"TestClaims": func(t *testing.T) {
			eventstest.TestClaims(t, func(*testing.T) events.Claims { return stored })
		},
		"TestPublisher": func(t *testing.T) {
			eventstest.TestPublisher(t, func(*testing.T) eventstest.Queues {
				return eventstest.Queues{
					Publisher: events.NewPublisher(sender{ev, port.Queues()}, stored, nil), Claims: stored, Receive: arrived.next,
				}
			})
		},
		"TestTrail": func(t *testing.T) {
			audittest.TestTrail(t, func(*testing.T) audittest.Trail { return record{ev, port.NewTrail(object.Open("AUDIT"))} })
		},
		"TestCache": func(t *testing.T) {
			cachetest.TestStore(t, func(*testing.T) cachetest.Subject {
				return cachetest.Subject{Store: cached{ev, port.NewCache(kv.Open("CACHE"))}}
			})
		},
		"TestQuota": func(t *testing.T) {
			quotatest.TestLedger(t, func(*testing.T) quotatest.Ledger { return money{ev, port.NewQuota(object.Open("QUOTA"))} })
		},
		"TestRuns": func(t *testing.T) {
			flowtest.TestRuns(t, &probe, func(*testing.T) flow.Runs {
				return runs{ev, port.NewRuns(map[flow.Kind]workflow.Workflow{flowtest.Kind: workflow.Open("PROBE")})}
			})
		},
		"TestParts": func(t *testing.T) {
			importstest.TestParts(t, func(*testing.T) imports.Parts { return parts{ev, port.NewParts(bucket)} })
		},
		"TestFiles": func(t *testing.T) {
			importstest.TestFiles(t, func(*testing.T) importstest.Store { return files{ev, port.NewFiles(bucket), bucket} })
		},
		"TestDirectory": func(t *testing.T) {
			tenantstest.TestDirectory(t, func(t *testing.T, entries tenants.Entries) tenants.Directory {
				for key, value := range entries {
					require.NoError(t, namespace.Put(ev.in(context.Background()), key, value, nil))
				}
				return tenants.NewDirectory(published{ev, port.NewPublished(namespace)}, nil)
			})
		},
	}
	maps.Copy(all, sweptStores(ev, bucket, small))
	return all
}

func testModel(t *testing.T, ev event, name string) {
	m, err := llm.FindGeneration(name)
	require.NoError(t, err)
	llmtest.TestModel(t, m, func(*testing.T) llm.Model { return model{ev, port.NewModel(ai.Open("AI"), "suite")} })
}
