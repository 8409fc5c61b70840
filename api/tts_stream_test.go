package api_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"math"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/workflows/job"
	"levada.dev/workflows/speech"
	"levada.dev/workflows/speech/audio"
)

const streaming = `,"streaming":true`

// slowVoice takes a second for each part.
func slowVoice(w *world) {
	w.studio.voice.before = func(speech.Line) error {
		time.Sleep(time.Second)
		return nil
	}
}

// inStudio runs a test in a bubble of time, in which every tenant may send long texts.
func inStudio(t *testing.T, name string, f func(t *testing.T, w *world)) {
	t.Helper()
	inBubbleOf(t, name, func(t *testing.T) {
		f(t, newWorld(t, roomy, func(w *world) { w.opts.Now = clock() }))
	})
}

// heard is when the writes of an answer came, and what they were.
type heard struct {
	*client
	at []time.Duration
}

// listenTo sends a request and notes when the answer's bytes come.
func (w *world) listenTo(r *http.Request) *heard {
	h, began := &heard{client: &client{header: http.Header{}}}, time.Now()
	h.leave = func(string) bool {
		h.at = append(h.at, time.Since(began).Round(time.Second))
		return false
	}
	w.ServeHTTP(h.client, r)
	return h
}

// A sound is heard part by part, while the rest is spoken, and is what the job's audio is but for the sizes in the header.
func TestASoundIsHeardWhileItIsMade(t *testing.T) {
	for _, tenant := range []string{"acme", "globex"} {
		inStudio(t, tenant, func(t *testing.T, w *world) {
			slowVoice(w)
			h := w.listenTo(w.request(tenant, "POST", "/tts", speechBody(story, streaming)))
			require.Equal(t, http.StatusOK, h.status)
			assert.Equal(t, time.Second, h.at[0], "the first part is not held back")
			assert.Equal(t, 2*time.Second, h.at[len(h.at)-1], "the others are spoken at once")
			assert.Equal(t, []string{"audio/wav", "no-store", `inline; filename="speech.wav"`, ""}, []string{
				h.header.Get("Content-Type"), h.header.Get("Cache-Control"), h.header.Get("Content-Disposition"), h.header.Get("Content-Length"),
			})
			got := []byte(h.body())
			for _, at := range []int{4, 40} {
				assert.Equal(t, uint32(math.MaxUint32), binary.LittleEndian.Uint32(got[at:]), "nobody knows the sizes yet")
			}
			pcm, err := audio.ReadWAV(got)
			require.NoError(t, err)

			synctest.Wait()
			id := h.header.Get("X-Job-Id")
			assert.Equal(t, "/tts/jobs/"+id+"/audio", h.header.Get("Content-Location"))
			rec := w.do(tenant, "GET", h.header.Get("Content-Location"), "")
			require.Equal(t, http.StatusOK, rec.Code)
			assert.Equal(t, pcm.Data, rec.Body.Bytes()[audio.HeaderSize:])
			assert.Len(t, w.studio.voice.spoken(), 3)

			again := w.do(tenant, "POST", "/tts", speechBody(story, streaming))
			assert.Equal(t, rec.Body.Bytes(), again.Body.Bytes(), "what is there has its true header")
			assert.Equal(t, strconv.Itoa(rec.Body.Len()), again.Header().Get("Content-Length"))
			assert.Equal(t, rec.Header().Get("ETag"), again.Header().Get("ETag"))
			assert.Len(t, w.studio.voice.spoken(), 3, "and is not spoken again")
			used := w.gate.Used(w.scope(tenant))
			require.Len(t, used, 3, "nor paid again")
			for _, u := range used {
				assert.Positive(t, u.Chars)
				assert.Positive(t, u.Nanos)
			}
			w.gate.Check(t)
		})
	}
}

func TestAShortSoundIsWhole(t *testing.T) {
	w := newWorld(t)
	for _, tenant := range []string{"acme", "globex"} {
		rec := w.do(tenant, "POST", "/tts", speechBody("Water.", streaming))
		require.Equal(t, http.StatusOK, rec.Code, rec.Body)
		assert.Equal(t, strconv.Itoa(rec.Body.Len()), rec.Header().Get("Content-Length"))
		assert.Equal(t, uint32(rec.Body.Len()-8), binary.LittleEndian.Uint32(rec.Body.Bytes()[4:]))
		v := data[struct {
			State  job.State
			Bytes  int
			Shared bool
		}](t, w.do(tenant, "GET", "/tts/jobs/"+rec.Header().Get("X-Job-Id"), ""))
		assert.Equal(t, rec.Body.Len(), v.Bytes)
		assert.False(t, v.Shared)
	}
}

// A client that leaves does not stop what is spoken: the job succeeds, and nothing is spoken twice.
func TestWhoStopsListeningHasAJob(t *testing.T) {
	for name, listen := range map[string]func(w *world) string{
		"the connection ends": func(w *world) string {
			c := &client{header: http.Header{}}
			ctx, leave := context.WithCancel(w.t.Context())
			time.AfterFunc(1500*time.Millisecond, leave)
			w.ServeHTTP(c, w.request("acme", "POST", "/tts", speechBody(story, streaming)).WithContext(ctx))
			assert.Equal(w.t, http.StatusOK, c.status)
			return c.header.Get("X-Job-Id")
		},
		"before the first part": func(w *world) string {
			c := &client{header: http.Header{}}
			ctx, leave := context.WithCancel(w.t.Context())
			time.AfterFunc(500*time.Millisecond, leave)
			w.ServeHTTP(c, w.request("acme", "POST", "/tts", speechBody(story, streaming)).WithContext(ctx))
			assert.Equal(w.t, 499, c.status)
			return c.header.Get("X-Job-Id")
		},
		"nobody reads": func(w *world) string {
			c := &client{header: http.Header{}, leave: func(string) bool { return true }}
			assert.PanicsWithValue(w.t, http.ErrAbortHandler, func() { w.ServeHTTP(c, w.request("acme", "POST", "/tts", speechBody(story, streaming))) })
			return c.header.Get("X-Job-Id")
		},
	} {
		inStudio(t, name, func(t *testing.T, w *world) {
			slowVoice(w)
			id := listen(w)
			time.Sleep(5 * time.Second)
			rec := w.do("acme", "GET", "/tts/jobs/"+id+"/audio", "")
			require.Equal(t, http.StatusOK, rec.Code, rec.Body)
			assert.Equal(t, w.file("acme", id), rec.Body.Bytes())
			assert.Len(t, w.studio.voice.spoken(), 3)
		})
	}
}

// Several who ask for the same at once hear the same, which is spoken once.
func TestSeveralListenToOneSound(t *testing.T) {
	inStudio(t, "one speaks", func(t *testing.T, w *world) {
		slowVoice(w)
		answers := make(chan *httptest.ResponseRecorder, 4)
		for i := range 4 {
			go func() {
				time.Sleep(time.Duration(i) * 700 * time.Millisecond)
				rec := httptest.NewRecorder()
				w.ServeHTTP(rec, w.request("globex", "POST", "/tts", speechBody(story, streaming)))
				answers <- rec
			}()
		}
		var bodies [][]byte
		for range 4 {
			rec := <-answers
			require.Equal(t, http.StatusOK, rec.Code, rec.Body)
			bodies = append(bodies, rec.Body.Bytes()[audio.HeaderSize:])
		}
		for _, b := range bodies[1:] {
			assert.True(t, bytes.Equal(bodies[0], b))
		}
		assert.Len(t, w.studio.voice.spoken(), 3)
		assert.Equal(t, 4, w.jobs("globex"))
	})
}

// Samples are stretched by the queue's consumer, never beside a request, however long nothing is heard.
func TestWhoListensStretchesNothing(t *testing.T) {
	inStudio(t, "fast", func(t *testing.T, w *world) {
		rec := w.do("globex", "POST", "/tts", speechBody(story, streaming+`,"speed":2`))
		assert.Equal(t, "speech_late", failed(t, rec).Code)
		assert.Empty(t, w.studio.voice.spoken())
		assert.Equal(t, 1, w.jobs("globex"))
	})
}

// A voice that takes longer for a part than a maker may be silent is asked for each part once, however many listen.
func TestASlowVoiceIsLeftToOne(t *testing.T) {
	for _, n := range []int{1, 2, 8} {
		inStudio(t, strconv.Itoa(n), func(t *testing.T, w *world) {
			w.studio.voice.before = func(speech.Line) error {
				time.Sleep(45 * time.Second)
				return nil
			}
			answers := make(chan *httptest.ResponseRecorder, n)
			for range n {
				go func() {
					rec := httptest.NewRecorder()
					w.ServeHTTP(rec, w.request("globex", "POST", "/tts", speechBody(story, streaming)))
					answers <- rec
				}()
			}
			for range n {
				rec := <-answers
				require.Equal(t, http.StatusOK, rec.Code, rec.Body)
				assert.Greater(t, rec.Body.Len(), audio.HeaderSize)
			}
			assert.Len(t, w.studio.voice.spoken(), 3)
		})
	}
}

// What goes wrong before the first byte is an error with its own code and status; the job has failed with it, and the same request is spoken later.
func TestWhatCannotBeSpoken(t *testing.T) {
	oai, err := json.Marshal(map[string]string{"model": "default", "voice": "default", "input": story})
	require.NoError(t, err)
	for name, x := range map[string]struct {
		fault  error
		status int
		asked  int // of the model, how often
	}{
		"refused":   {fault.Invalidf("", "model_refused", "no"), 400, 1},
		"busy":      {fault.Unavailablef(nil, "model_busy", "no"), 503, 4},
		"a budget":  {fault.New(fault.Limited, "budget_exhausted", "no", nil).WithRetryAfter(time.Hour), 429, 1},
		"a quota":   {fault.New(fault.Limited, "model_quota", "no", nil).WithRetryAfter(time.Hour), 429, 1},
		"our fault": {fault.New(fault.Internal, "odd", "a secret", nil), 500, 4},
	} {
		for _, path := range []string{"/tts", "/v1/audio/speech"} {
			inStudio(t, name+" "+path, func(t *testing.T, w *world) {
				body := map[string]string{"/tts": speechBody(story, streaming), "/v1/audio/speech": string(oai)}[path]
				w.studio.voice.before = func(speech.Line) error { return x.fault }
				rec := w.do("globex", "POST", path, body)
				assert.Equal(t, x.status, rec.Code, rec.Body)
				assert.Equal(t, "application/json", rec.Header().Get("Content-Type"))
				assert.NotContains(t, rec.Body.String(), "secret")
				if x.status != 500 && path == "/tts" {
					assert.Equal(t, fault.As(x.fault).Code, failed(t, rec).Code)
				}
				assert.Len(t, w.studio.voice.spoken(), x.asked)
				id := rec.Header().Get("X-Job-Id")
				v := data[struct {
					State job.State
					Error struct{ Code, Message string }
				}](t, w.do("globex", "GET", "/tts/jobs/"+id, ""))
				assert.Equal(t, job.Failed, v.State)
				code := fault.As(x.fault).Code
				if x.status == 500 {
					code = "internal"
				}
				assert.Equal(t, code, v.Error.Code)
				if after := fault.As(x.fault).RetryAfter; after > 0 {
					assert.Equal(t, "3600", rec.Header().Get("Retry-After"))
				}
				audioOf := failed(t, w.do("globex", "GET", "/tts/jobs/"+id+"/audio", ""))
				assert.Equal(t, "audio_failed", audioOf.Code)

				w.studio.voice.before = nil
				rec = w.do("globex", "POST", path, body)
				assert.Equal(t, http.StatusOK, rec.Code, rec.Body)
			})
		}
	}
}

// A voice that has nothing for a text is no sound of no length, and nobody's mistake but the choice of the voice.
func TestAVoiceThatHasNothingForTheText(t *testing.T) {
	inStudio(t, "silent", func(t *testing.T, w *world) {
		w.studio.voice.silent = true
		for _, tenant := range []string{"acme", "globex"} {
			w.studio.voice.lines = nil
			rec := w.do(tenant, "POST", "/tts", speechBody("日本語", streaming))
			assert.Equal(t, http.StatusBadRequest, rec.Code, rec.Body)
			told := failed(t, rec)
			assert.Equal(t, []string{"audio_empty", "text"}, []string{told.Code, told.Details.Field})
			assert.Contains(t, told.Details.Hint, "language")
			rec = w.do(tenant, "POST", "/v1/audio/speech", `{"model":"default","voice":"default","input":"Привет"}`)
			assert.Equal(t, http.StatusBadRequest, rec.Code, rec.Body)
			assert.Contains(t, rec.Body.String(), `"param":"input"`)
			assert.Contains(t, rec.Body.String(), `"code":"audio_empty"`)
			id := w.spokenJob(tenant, "日本")
			v := data[struct {
				State job.State
				Error struct{ Field, Code, Hint string }
			}](t, w.do(tenant, "GET", "/tts/jobs/"+id, ""))
			assert.Equal(t, []any{job.Failed, "text", "audio_empty"}, []any{v.State, v.Error.Field, v.Error.Code})
			assert.Contains(t, v.Error.Hint, "language")
			assert.Len(t, w.studio.voice.spoken(), 3, "each is asked for once, by one model")
		}
	})
}

// A model that is busy for a moment is asked again, and one that stays so is replaced: acme has another.
func TestAModelThatIsBusyForAMoment(t *testing.T) {
	inStudio(t, "again", func(t *testing.T, w *world) {
		var asked sync.Map
		w.studio.voice.before = func(l speech.Line) error {
			if _, before := asked.LoadOrStore(l.Text, true); !before {
				return fault.Unavailablef(nil, "model_busy", "no")
			}
			return nil
		}
		rec := w.do("globex", "POST", "/tts", speechBody(story, streaming))
		require.Equal(t, http.StatusOK, rec.Code, rec.Body)
		synctest.Wait()
		assert.Equal(t, w.file("globex", rec.Header().Get("X-Job-Id"))[audio.HeaderSize:], rec.Body.Bytes()[audio.HeaderSize:])

		rec = w.do("acme", "POST", "/tts", speechBody("Water.", streaming))
		require.Equal(t, http.StatusOK, rec.Code, rec.Body)
		v := data[struct{ Model, Voice string }](t, w.do("acme", "GET", "/tts/jobs/"+rec.Header().Get("X-Job-Id"), ""))
		assert.Equal(t, "@cf/myshell-ai/melotts", v.Model, "who has spoken is told")
		assert.Equal(t, "en", v.Voice)
	})
}

// What goes wrong after the first byte breaks the connection off: an end would say that this is all.
func TestASoundThatBreaksOff(t *testing.T) {
	inStudio(t, "broken off", func(t *testing.T, w *world) {
		var asked atomic.Int64
		w.studio.voice.before = func(speech.Line) error {
			if asked.Add(1) == 1 {
				return nil
			}
			return fault.Invalidf("", "model_refused", "no")
		}
		c := &client{header: http.Header{}}
		assert.PanicsWithValue(t, http.ErrAbortHandler, func() { w.ServeHTTP(c, w.request("globex", "POST", "/tts", speechBody(story, streaming))) })
		assert.Equal(t, http.StatusOK, c.status)
		assert.NotEmpty(t, c.body())

		w.studio.voice.before = nil
		rec := w.do("globex", "POST", "/tts", speechBody(story, streaming))
		require.Equal(t, http.StatusOK, rec.Code)
		assert.True(t, bytes.HasPrefix(rec.Body.Bytes()[audio.HeaderSize:], []byte(c.body())[audio.HeaderSize:]), "the first part is the same")
		texts := map[string]int{}
		for _, l := range w.studio.voice.spoken() {
			texts[l.Text]++
		}
		assert.Equal(t, 1, texts[w.studio.voice.spoken()[0].Text], "and not spoken again")
	})
}

func TestAJobThatIsCancelledWhileItIsHeard(t *testing.T) {
	inStudio(t, "cancelled", func(t *testing.T, w *world) {
		slowVoice(w)
		var rec *httptest.ResponseRecorder
		time.AfterFunc(500*time.Millisecond, func() { rec = w.do("acme", "DELETE", "/tts/jobs/job-1", "") })
		got := w.do("acme", "POST", "/tts", speechBody(story, streaming))
		assert.Equal(t, http.StatusConflict, got.Code)
		assert.Equal(t, "audio_cancelled", failed(t, got).Code)
		assert.Equal(t, http.StatusOK, rec.Code)
	})
}

// The same key is the same job, also while that is spoken, and after its sound was heard; another text with it is refused.
func TestAKeyOfAStream(t *testing.T) {
	inStudio(t, "a key", func(t *testing.T, w *world) {
		first := w.do("acme", "POST", "/tts", speechBody("Water.", streaming), "idempotency-key", "k")
		again := w.do("acme", "POST", "/tts", speechBody("Water.", streaming), "idempotency-key", "k")
		assert.Equal(t, first.Body.Bytes(), again.Body.Bytes())
		assert.Equal(t, first.Header().Get("X-Job-Id"), again.Header().Get("X-Job-Id"))
		assert.Equal(t, "true", again.Header().Get("Idempotent-Replayed"))
		for _, body := range []string{speechBody("Oil.", streaming), speechBody("Water.", ""), speechBody("Water.", `,"streaming":true,"speed":2`)} {
			rec := w.do("acme", "POST", "/tts", body, "idempotency-key", "k")
			assert.Equal(t, http.StatusConflict, rec.Code)
			assert.Equal(t, "idempotency_conflict", failed(t, rec).Code)
		}
		assert.Equal(t, 1, w.jobs("acme"))
		rec := w.do("globex", "POST", "/tts", speechBody("Oil.", streaming), "idempotency-key", "k")
		assert.Equal(t, http.StatusOK, rec.Code, "another tenant's key is another key")
	})
}

// A take that nobody makes any more is made by who listens to it, when whoever had it has been silent for long enough.
func TestATakeWhoseMakerHasDied(t *testing.T) {
	inStudio(t, "a claim that was lost", func(t *testing.T, w *world) {
		w.studio.desk.After = func(op string) error {
			if op == "open" {
				return fault.Unavailablef(nil, "object_unavailable", "the answer is lost")
			}
			return nil
		}
		assert.Equal(t, http.StatusServiceUnavailable, w.do("globex", "POST", "/tts", speechBody(story, streaming)).Code)
		w.studio.desk.After = nil
		began := time.Now()
		rec := w.do("globex", "POST", "/tts", speechBody(story, streaming))
		require.Equal(t, http.StatusOK, rec.Code, rec.Body)
		assert.InDelta(t, speech.DirectLease.Seconds(), time.Since(began).Seconds(), 2)
		assert.Len(t, w.studio.voice.spoken(), 3)
		synctest.Wait()
		assert.Equal(t, 2, w.jobs("globex"))
	})
	inStudio(t, "nobody may make it", func(t *testing.T, w *world) {
		w.studio.desk.Before = func(op string) error {
			if op == "takeover" {
				return fault.Unavailablef(nil, "object_unavailable", "no")
			}
			return nil
		}
		w.studio.desk.After = func(op string) error {
			if op == "open" {
				return fault.Unavailablef(nil, "object_unavailable", "the answer is lost")
			}
			return nil
		}
		w.do("globex", "POST", "/tts", speechBody(story, streaming))
		w.studio.desk.After = nil
		rec := w.do("globex", "POST", "/tts", speechBody(story, streaming))
		assert.Equal(t, http.StatusServiceUnavailable, rec.Code)
		assert.Equal(t, "speech_late", failed(t, rec).Code)
		assert.NotEmpty(t, rec.Header().Get("X-Job-Id"), "the job goes on")
	})
}

// Looks that fail for a moment are passed over, and do not break a sound off.
func TestADeskThatIsSilentForAMoment(t *testing.T) {
	inStudio(t, "silent", func(t *testing.T, w *world) {
		slowVoice(w)
		var looks atomic.Int64
		w.studio.desk.Before = func(op string) error {
			if op != "job" {
				return nil
			}
			if looks.Add(1)%2 == 1 {
				return fault.Unavailablef(nil, "object_unavailable", "no")
			}
			return nil
		}
		rec := w.do("globex", "POST", "/tts", speechBody(story, streaming))
		require.Equal(t, http.StatusOK, rec.Code, rec.Body)
		w.studio.desk.Before = nil
		assert.Equal(t, w.file("globex", rec.Header().Get("X-Job-Id"))[audio.HeaderSize:], rec.Body.Bytes()[audio.HeaderSize:])
	})
}

// The isolate that is asked has ended: the take is claimed, and will be made by the queue.
func TestNothingGoesOnBesideTheRequest(t *testing.T) {
	w := newWorld(t, func(w *world) {
		w.opts.Background = func(context.Context, func(context.Context)) error { return context.Canceled }
	})
	rec := w.do("acme", "POST", "/tts", speechBody("Water.", streaming))
	assert.Equal(t, http.StatusServiceUnavailable, rec.Code)
	assert.Equal(t, "isolate_ending", failed(t, rec).Code)
	assert.Equal(t, "/tts/jobs/job-1/audio", rec.Header().Get("Content-Location"))
	assert.Equal(t, 1, w.jobs("acme"))
}

func TestOpenAIsSpeech(t *testing.T) {
	w := newWorld(t)
	bodies := map[string]string{}
	for _, tenant := range []string{"acme", "globex"} {
		for _, body := range []string{
			`{"model":"tts-1","voice":"alloy","input":"Water."}`, `{"model":"default","voice":"default","input":"Water.","response_format":null,"speed":null}`,
			`{"model":"gpt-4o-mini-tts","voice":{"id":"alloy"},"input":"Water.","response_format":"wav","speed":1,"instructions":"","stream_format":"audio"}`,
		} {
			rec := w.do(tenant, "POST", "/v1/audio/speech?x=1", body)
			require.Equal(t, http.StatusOK, rec.Code, rec.Body)
			assert.Equal(t, "audio/wav", rec.Header().Get("Content-Type"))
			assert.Equal(t, []string{"1000", "999", "1s"}, []string{rec.Header().Get("X-Ratelimit-Limit-Requests"),
				rec.Header().Get("X-Ratelimit-Remaining-Requests"), rec.Header().Get("X-Ratelimit-Reset-Requests")})
			pcm, err := audio.ReadWAV(rec.Body.Bytes())
			require.NoError(t, err)
			assert.Positive(t, pcm.Duration())
			if bodies[tenant] == "" {
				bodies[tenant] = rec.Body.String()
			}
			assert.Equal(t, bodies[tenant], rec.Body.String(), "they all ask for the same")
		}
		water := strings.Repeat("Water. ", 30)
		queued := data[struct{ JobID string }](t, w.do(tenant, "POST", "/tts", `{"text":"`+water+`","voice":"alloy","speed":2}`))
		j, err := w.studio.desk.Job(t.Context(), w.scope(tenant), queued.JobID)
		require.NoError(t, err)
		require.NoError(t, w.studio.recorder.Record(t.Context(), w.scope(tenant), j.Take, nil), "samples are stretched by the queue's consumer alone")
		fast := w.do(tenant, "POST", "/v1/audio/speech", `{"model":"tts-1","voice":"alloy","input":"`+water+`","speed":2}`)
		slow := w.do(tenant, "POST", "/v1/audio/speech", `{"model":"tts-1","voice":"alloy","input":"`+strings.Repeat("Water. ", 30)+`"}`)
		assert.InDelta(t, 2, float64(slow.Body.Len())/float64(fast.Body.Len()), 0.2)
		assert.Contains(t, w.do(tenant, "GET", "/v1/models", "").Body.String(), w.studio.voice.spoken()[0].call.Model)
		w.studio.voice.lines = nil
	}
	assert.NotEqual(t, bodies["acme"], bodies["globex"])
}
