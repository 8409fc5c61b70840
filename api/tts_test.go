package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/api"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/quota"
	"levada.dev/workflows/speech"
	"levada.dev/workflows/speech/audio"
)

// story is spoken in three parts.
var story = strings.TrimSpace(strings.Repeat("Levadas carry water across Madeira. ", 40))

// edited is a directory in which a test has changed something.
type edited struct {
	tenants.Directory
	edit func(*tenants.Config)
}

func (e edited) Config(ctx context.Context, id tenants.ID) (*tenants.Config, error) {
	c, err := e.Directory.Config(ctx, id)
	if err != nil {
		return nil, err
	}
	own := *c
	e.edit(&own)
	return &own, nil
}

// roomy lets every tenant send long texts.
func roomy(w *world) {
	w.deps.Directory = edited{w.deps.Directory, func(c *tenants.Config) { c.Limits.BodyBytes = tenants.MaxBodyBytes }}
}

// speechBody is a body of POST /tts; more are further fields.
func speechBody(text, more string) string {
	b, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return `{"text":` + string(b) + more + `}`
}

// spokenJob has a text spoken as a job, and says which.
func (w *world) spokenJob(tenant, text string) string {
	w.t.Helper()
	rec := w.do(tenant, "POST", "/tts", speechBody(text, ""))
	require.Equal(w.t, http.StatusAccepted, rec.Code, rec.Body)
	w.speak(tenant)
	return data[struct{ JobID string }](w.t, rec).JobID
}

// jobs is how many jobs of speech a tenant has.
func (w *world) jobs(tenant string) int {
	w.t.Helper()
	page, err := w.studio.desk.Jobs(context.Background(), w.scope(tenant), "", speech.MaxPage)
	require.NoError(w.t, err)
	return len(page.Jobs)
}

func TestTwoTenantsNeverShareASound(t *testing.T) {
	w := newWorld(t, roomy)
	files, ids := map[string][]byte{}, map[string]string{}
	for _, tenant := range []string{"acme", "globex"} {
		ids[tenant] = w.spokenJob(tenant, story)
		rec := w.do(tenant, "GET", "/tts/jobs/"+ids[tenant]+"/audio", "")
		require.Equal(t, http.StatusOK, rec.Code, rec.Body)
		files[tenant] = rec.Body.Bytes()
		assert.Equal(t, w.file(tenant, ids[tenant]), files[tenant])
		pcm, err := audio.ReadWAV(files[tenant])
		require.NoError(t, err)
		assert.Greater(t, audio.RMS(pcm), 0.01)
	}
	assert.NotEqual(t, files["acme"], files["globex"])
	assert.Len(t, w.studio.voice.spoken(), 6, "each tenant's own three parts")
	for tenant, other := range map[string]string{"acme": "globex", "globex": "acme"} {
		for _, x := range []string{"GET %s", "GET %s/audio", "HEAD %s/audio", "DELETE %s"} {
			method, target, _ := strings.Cut(fmt.Sprintf(x, "/tts/jobs/"+ids[other]), " ")
			assert.Equal(t, http.StatusNotFound, w.do(tenant, method, target, "", "range", "bytes=0-1").Code, x)
		}
		assert.Equal(t, 1, w.jobs(tenant))
	}
	again := w.spokenJob("acme", story)
	assert.NotEqual(t, ids["acme"], again)
	assert.Equal(t, files["acme"], w.do("acme", "GET", "/tts/jobs/"+again+"/audio", "").Body.Bytes(), "an equal request has the same sound")
	assert.Len(t, w.studio.voice.spoken(), 6, "which is not spoken again")
}

// What is answered for ranges is what they are of the whole, to the byte.
func TestRangesOfTheAudio(t *testing.T) {
	w := newWorld(t, roomy)
	for _, tenant := range []string{"acme", "globex"} {
		target := "/tts/jobs/" + w.spokenJob(tenant, story) + "/audio"
		rec := w.do(tenant, "GET", target, "")
		whole, tag := rec.Body.Bytes(), rec.Header().Get("ETag")
		size := len(whole)
		assert.Equal(t, []string{"audio/wav", strconv.Itoa(size), "bytes", `inline; filename="speech.wav"`}, []string{
			rec.Header().Get("Content-Type"), rec.Header().Get("Content-Length"), rec.Header().Get("Accept-Ranges"), rec.Header().Get("Content-Disposition"),
		})
		asked := [][2]int{{0, 1}, {0, 44}, {43, 45}, {44, 45}, {0, size}, {size - 1, size}, {1, size - 1}}
		random := rand.New(rand.NewPCG(1, 2))
		for range 200 {
			from := random.IntN(size)
			asked = append(asked, [2]int{from, from + 1 + random.IntN(size-from)})
		}
		for _, r := range asked {
			rec := w.do(tenant, "GET", target, "", "range", fmt.Sprintf("bytes=%d-%d", r[0], r[1]-1), "if-range", tag)
			require.Equal(t, http.StatusPartialContent, rec.Code)
			require.Equal(t, whole[r[0]:r[1]], rec.Body.Bytes(), "%v", r)
			require.Equal(t, fmt.Sprintf("bytes %d-%d/%d", r[0], r[1]-1, size), rec.Header().Get("Content-Range"))
			require.Equal(t, strconv.Itoa(r[1]-r[0]), rec.Header().Get("Content-Length"))
		}
		assert.Equal(t, whole[size-10:], w.do(tenant, "GET", target, "", "range", "bytes=-10").Body.Bytes())
		assert.Equal(t, whole[size-10:], w.do(tenant, "GET", target, "", "range", fmt.Sprintf("bytes=%d-", size-10)).Body.Bytes())

		rec = w.do(tenant, "GET", target, "", "range", "bytes=0-9,100-199,50000-50009")
		require.Equal(t, http.StatusPartialContent, rec.Code)
		_, params, err := mime.ParseMediaType(rec.Header().Get("Content-Type"))
		require.NoError(t, err)
		parts := multipart.NewReader(rec.Body, params["boundary"])
		for _, r := range [][2]int{{0, 10}, {100, 200}, {50000, 50010}} {
			part, err := parts.NextRawPart()
			require.NoError(t, err)
			got, err := io.ReadAll(part)
			require.NoError(t, err)
			assert.Equal(t, whole[r[0]:r[1]], got)
			assert.Equal(t, "audio/wav", part.Header.Get("Content-Type"))
		}
		rec = w.do(tenant, "GET", target, "", "range", "bytes=-0")
		assert.Equal(t, []any{416, fmt.Sprintf("bytes */%d", size)}, []any{rec.Code, rec.Header().Get("Content-Range")}, "there are no last 0 bytes")
		assert.Equal(t, whole[:10], w.do(tenant, "GET", target, "", "range", "bytes=-0, 0-9").Body.Bytes(), "beside others they are passed over")
		many := strings.TrimSuffix("bytes="+strings.Repeat("0-1,", 9), ",")
		for name, x := range map[string]struct {
			method, header, value string
			code, length          int
		}{
			"it is the same":           {"GET", "if-none-match", tag, 304, 0},
			"it is not the same":       {"GET", "if-none-match", `"other"`, 200, size},
			"a range of another":       {"GET", "if-range", `"other"`, 200, size},
			"nothing to the same":      {"GET", "if-match", `"other"`, 412, 0},
			"more ranges than we like": {"GET", "range", many, 200, size},
			"a range that is none":     {"GET", "range", "bytes=9-1", 416, 0},
			"a unit that there is not": {"GET", "range", "seconds=1-2", 416, 0},
			"the head":                 {"HEAD", "accept", "*/*", 200, size},
			"the head of a range":      {"HEAD", "range", "bytes=5-9", 206, 5},
		} {
			before := w.studio.opened.Load()
			headers := []string{x.header, x.value}
			if x.header == "if-range" {
				headers = append(headers, "range", "bytes=0-9")
			}
			rec := w.do(tenant, x.method, target, "", headers...)
			assert.Equal(t, x.code, rec.Code, name)
			switch {
			case x.method == "HEAD":
				assert.Zero(t, rec.Body.Len(), name)
				assert.Equal(t, strconv.Itoa(x.length), rec.Header().Get("Content-Length"), name)
				assert.Equal(t, tag, rec.Header().Get("ETag"), name)
			case x.code == 200:
				assert.Equal(t, whole, rec.Body.Bytes(), name)
			default:
				assert.Equal(t, before, w.studio.opened.Load(), "%s: nothing of the sound is read", name)
			}
		}
	}
}

func TestAudioExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(w *world) { w.opts.Now = clock() })
		acme, globex := w.spokenJob("acme", "Water."), w.spokenJob("globex", "Water.")
		time.Sleep(25 * time.Hour)
		rec := w.do("acme", "GET", "/tts/jobs/"+acme+"/audio", "")
		assert.Equal(t, http.StatusOK, rec.Code, "it is kept for seven days")
		assert.Equal(t, "private, max-age="+strconv.Itoa((7*24-25)*3600)+", immutable", rec.Header().Get("Cache-Control"))
		for range 2 { // before it is removed, and after
			rec = w.do("globex", "GET", "/tts/jobs/"+globex+"/audio", "")
			assert.Equal(t, http.StatusGone, rec.Code)
			assert.Equal(t, "audio_expired", failed(t, rec).Code)
			_, err := w.studio.desk.Alarm(t.Context(), w.scope("globex"), w.studio.sounds)
			require.NoError(t, err)
		}
		assert.True(t, data[struct{ Expired bool }](t, w.do("globex", "GET", "/tts/jobs/"+globex, "")).Expired)
		rec = w.do("globex", "POST", "/tts", speechBody("Water.", `,"streaming":true`))
		assert.Equal(t, http.StatusOK, rec.Code, "it is spoken again")
	})
}

// A sound that is not there although its job says so is gone: a tenant's data was erased, and a job was asked for just before.
func TestAudioThatIsErased(t *testing.T) {
	w := newWorld(t)
	ids := map[string]string{}
	for _, tenant := range []string{"acme", "globex"} {
		ids[tenant] = w.spokenJob(tenant, "Water.")
	}
	j, err := w.studio.desk.Job(t.Context(), w.scope("acme"), ids["acme"])
	require.NoError(t, err)
	_, err = w.studio.sounds.Drop(t.Context(), w.scope("acme"), j.Tape.Reel)
	require.NoError(t, err)
	for _, x := range []struct{ method, target, body string }{
		{"GET", "/tts/jobs/" + ids["acme"] + "/audio", ""}, {"POST", "/tts", speechBody("Water.", `,"streaming":true`)},
	} {
		rec := w.do("acme", x.method, x.target, x.body)
		assert.Equal(t, http.StatusGone, rec.Code)
		assert.Equal(t, "audio_expired", failed(t, rec).Code)
		assert.Empty(t, rec.Header().Get("ETag"))
		assert.Equal(t, "no-store", rec.Header().Get("Cache-Control"))
	}
	assert.Equal(t, http.StatusOK, w.do("globex", "GET", "/tts/jobs/"+ids["globex"]+"/audio", "").Code)
}

// A store that fails before the first byte is an error, and one that fails later breaks the answer off.
func TestAStoreThatFailsIsNoEndOfTheSound(t *testing.T) {
	for _, target := range []string{"GET audio", "stream"} {
		for _, fails := range []int{1, 2} {
			w := newWorld(t, roomy)
			job := w.spokenJob("globex", story)
			opens := 0
			w.studio.sounds.Before = func(op string) error {
				if opens++; op == "open" && opens == fails {
					return fault.Unavailablef(nil, "store_unavailable", "no")
				}
				return nil
			}
			r := w.request("globex", "GET", "/tts/jobs/"+job+"/audio", "")
			if target == "stream" {
				r = w.request("globex", "POST", "/tts", speechBody(story, `,"streaming":true`))
			}
			c := &client{header: http.Header{}}
			if fails == 1 {
				w.ServeHTTP(c, r)
				assert.Equal(t, http.StatusServiceUnavailable, c.status, target)
				assert.Contains(t, c.body(), `"code":"store_unavailable"`)
				for _, name := range []string{"ETag", "Content-Disposition", "Content-Range", "Last-Modified", "Accept-Ranges"} {
					assert.Empty(t, c.header.Get(name), name)
				}
				continue
			}
			assert.PanicsWithValue(t, http.ErrAbortHandler, func() { w.ServeHTTP(c, r) }, target)
			assert.Equal(t, http.StatusOK, c.status)
			whole := w.file("globex", job)
			assert.True(t, len(c.body()) < len(whole) && bytes.HasPrefix(whole, []byte(c.body())))
		}
	}
}

// Whatever is wrong with a request is told with the field, and nothing is opened, spoken or paid for.
func TestBadOrdersOfSpeech(t *testing.T) {
	w := newWorld(t, roomy, func(w *world) {
		inner := w.deps.Directory
		w.deps.Directory = edited{inner, func(c *tenants.Config) {
			if c.ID == "demo" {
				c.Speech = tenants.Speech{Enabled: true, Model: tenants.NoSpeech, KeepDays: 1}
			}
		}}
	})
	long, longer := strings.Repeat("ä", speech.MaxStreamed+1), strings.Repeat("ä", speech.MaxText+1)
	for name, x := range map[string]struct {
		tenant, path, body, headers string
		status                      int
		code, field                 string
	}{
		"nothing":                {"acme", "/tts", ``, "", 415, "unsupported_media_type", ""},
		"no JSON":                {"acme", "/tts", `text`, "", 400, "invalid_json", ""},
		"no text":                {"acme", "/tts", `{}`, "", 400, "text_required", "text"},
		"an empty text":          {"globex", "/tts", speechBody("", ""), "", 400, "text_required", "text"},
		"nothing to say":         {"globex", "/tts", speechBody("\n\t— …", ""), "", 400, "text_required", "text"},
		"too long":               {"globex", "/tts", speechBody(longer, ""), "", 400, "text_too_long", "text"},
		"too long to wait":       {"globex", "/tts", speechBody(long, `,"streaming":true`), "", 400, "text_too_long", "text"},
		"no text at all":         {"globex", "/tts", `{"text":7}`, "", 400, "invalid_type", "text"},
		"no voice at all":        {"globex", "/tts", speechBody("a", `,"voice":["kal"]`), "", 400, "invalid_type", "voice"},
		"another model's voice":  {"globex", "/tts", speechBody("a", `,"voice":"zeus"`), "", 400, "voice_unknown", "voice"},
		"another tenant's alias": {"globex", "/tts", speechBody("a", `,"voice":"narrator"`), "", 400, "voice_unknown", "voice"},
		"no such model":          {"globex", "/tts", speechBody("a", `,"model":"tts-9"`), "", 400, "model_unknown", "model"},
		"a format of others":     {"globex", "/tts", speechBody("a", `,"format":"mp3"`), "", 400, "unsupported_format", "format"},
		"opus of more parts":     {"acme", "/tts", speechBody(strings.Repeat("a ", 1001), `,"format":"opus"`), "", 400, "unsupported_format", "format"},
		"too slow":               {"globex", "/tts", speechBody("a", `,"speed":0.2`), "", 400, "value_out_of_range", "speed"},
		"backwards":              {"globex", "/tts", speechBody("a", `,"speed":-1`), "", 400, "value_out_of_range", "speed"},
		"very fast":              {"globex", "/tts", speechBody("a", `,"speed":1e300`), "", 400, "value_out_of_range", "speed"},
		"a speed in words":       {"globex", "/tts", speechBody("a", `,"speed":"fast"`), "", 400, "invalid_type", "speed"},
		"a field twice":          {"globex", "/tts", `{"text":"a","text":"b"}`, "", 400, "duplicate_field", "text"},
		"a form":                 {"globex", "/tts", `text=a`, "application/x-www-form-urlencoded", 415, "unsupported_media_type", ""},
		"a parameter":            {"globex", "/tts?voice=kal", speechBody("a", ""), "", 400, "unknown_parameter", "voice"},
		"no model is configured": {"demo", "/tts", `{}`, "", 501, "tts_not_configured", ""},
		"nor is one to wait for": {"demo", "/v1/audio/speech", `{}`, "", 501, "tts_not_configured", ""},
		"no input":               {"globex", "/v1/audio/speech", `{"model":"tts-1","voice":"alloy"}`, "", 400, "missing_required_parameter", "input"},
		"no voice":               {"globex", "/v1/audio/speech", `{"model":"tts-1","input":"a"}`, "", 400, "missing_required_parameter", "voice"},
		"no model":               {"globex", "/v1/audio/speech", `{"voice":"alloy","input":"a"}`, "", 400, "missing_required_parameter", "model"},
		"samples":                {"globex", "/v1/audio/speech", `{"model":"tts-1","voice":"alloy","input":"a","response_format":"pcm"}`, "", 400, "unsupported_format", "response_format"},
		"no format that is":      {"globex", "/v1/audio/speech", `{"model":"tts-1","voice":"alloy","input":"a","response_format":"midi"}`, "", 400, "invalid_value", "response_format"},
		"an input too long":      {"globex", "/v1/audio/speech", `{"model":"tts-1","voice":"alloy","input":"` + long + `"}`, "", 400, "text_too_long", "input"},
		"an input of nothing":    {"globex", "/v1/audio/speech", `{"model":"tts-1","voice":"alloy","input":"..."}`, "", 400, "text_required", "input"},
		"an empty input":         {"globex", "/v1/audio/speech", `{"model":"tts-1","voice":"alloy","input":""}`, "", 400, "invalid_value", "input"},
		"a speed":                {"globex", "/v1/audio/speech", `{"model":"tts-1","voice":"alloy","input":"a","speed":0}`, "", 400, "invalid_value", "speed"},
		"another's model":        {"globex", "/v1/audio/speech", `{"model":"@cf/deepgram/aura-1","voice":"alloy","input":"a"}`, "", 403, "model_not_allowed", "model"},
		"no model of anybody's":  {"globex", "/v1/audio/speech", `{"model":"gpt-5","voice":"alloy","input":"a"}`, "", 404, "model_not_found", "model"},
		"a voice with more":      {"globex", "/v1/audio/speech", `{"model":"tts-1","voice":{"id":"kal","name":"x"},"input":"a"}`, "", 400, "unknown_parameter", "voice.name"},
		"a stream in words":      {"globex", "/v1/audio/speech", `{"model":"tts-1","voice":"alloy","input":"a","stream_format":"chunks"}`, "", 400, "invalid_value", "stream_format"},
	} {
		headers := []string{"x-tenant-id", x.tenant, "idempotency-key", "k"}
		if x.headers != "" {
			headers = append(headers, "content-type", x.headers)
		}
		as := x.tenant
		if as == "demo" {
			as = ""
		}
		rec := w.do(as, "POST", x.path, x.body, headers...)
		assert.Equal(t, x.status, rec.Code, "%s: %s", name, rec.Body)
		code, field := "", ""
		if strings.HasPrefix(x.path, "/v1/") {
			e := complained(t, rec)
			code = e.Code
			if e.Param != nil {
				field = *e.Param
			}
		} else {
			e := failed(t, rec)
			code, field = e.Code, e.Details.Field
		}
		assert.Equal(t, []string{x.code, x.field}, []string{code, field}, name)
		assert.Zero(t, w.jobs(x.tenant), name)
	}
	assert.Empty(t, w.studio.voice.spoken())
	for _, tenant := range []string{"acme", "globex", "demo"} {
		for _, ask := range w.gate.Asked(w.scope(tenant)) {
			assert.Zero(t, ask.Amount, "no money was asked for")
		}
	}
	rec := w.do("acme", "POST", "/tts", strings.Repeat(" ", 1<<20)+speechBody("a", ""))
	assert.Equal(t, http.StatusAccepted, rec.Code, "the key has stayed free")
}

func TestSpeechThatIsTooLarge(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/tts", "/v1/audio/speech"} {
		rec := w.do("acme", "POST", path, speechBody(strings.Repeat("a", 2000), ""))
		assert.Equal(t, http.StatusRequestEntityTooLarge, rec.Code)
	}
	assert.Zero(t, w.jobs("acme"))
}

// The platform's voices may give fewer formats than the model would.
func TestFormatsThatThePlatformGives(t *testing.T) {
	w := newWorld(t, func(w *world) { w.opts.SpeechFormats = []audio.Format{audio.WAV} })
	assert.Equal(t, http.StatusBadRequest, w.do("acme", "POST", "/tts", speechBody("Water.", `,"format":"mp3"`)).Code)
	assert.Equal(t, http.StatusAccepted, w.do("acme", "POST", "/tts", speechBody("Water.", `,"format":"wav"`)).Code)
	rec := w.do("acme", "GET", "/tts/voices", "")
	v := data[struct {
		Format string
		Models []struct{ Formats []string }
	}](t, rec)
	assert.Equal(t, "wav", v.Format)
	require.Len(t, v.Models, 2, "the tenant's and its fallback")
	assert.Equal(t, []string{"wav"}, v.Models[0].Formats)
	assert.Contains(t, rec.Body.String(), `"narrator"`)
	assert.NotContains(t, w.do("globex", "GET", "/tts/voices", "").Body.String(), "narrator")
}

// What the sound is called goes by its bytes: mp3 was asked for, and WAV came.
func TestTheSoundIsCalledWhatItIs(t *testing.T) {
	w := newWorld(t)
	rec := w.do("acme", "POST", "/tts", speechBody("Water.", `,"format":"mp3","streaming":true`))
	require.Equal(t, http.StatusOK, rec.Code, rec.Body)
	assert.Equal(t, "audio/wav", rec.Header().Get("Content-Type"))
	assert.Equal(t, `inline; filename="speech.wav"`, rec.Header().Get("Content-Disposition"))
	id := rec.Header().Get("X-Job-Id")
	assert.Equal(t, "wav", data[struct{ Format string }](t, w.do("acme", "GET", "/tts/jobs/"+id, "")).Format)
	var head http.Header
	require.Eventually(t, func() bool { // what was heard is kept a moment later
		rec := w.do("acme", "HEAD", "/tts/jobs/"+id+"/audio", "")
		head = rec.Header()
		return rec.Code == http.StatusOK
	}, 10*time.Second, time.Millisecond)
	assert.Equal(t, "audio/wav", head.Get("Content-Type"))
}

// The budget is looked at for the whole text before anything is opened, and nothing of it is held.
func TestABudgetThatDoesNotCoverTheText(t *testing.T) {
	w := newWorld(t, roomy)
	model, err := speech.FindModel(speech.LocalModel)
	require.NoError(t, err)
	want := quota.Amount{Chars: int64(len(story)), Nanos: model.Bound(len(story))}
	refuse := true
	w.gate.Refuse = func(s tenants.Scope, a quota.Ask) error {
		if refuse && s.Tenant() == "globex" && a.Room == want {
			return fault.New(fault.Limited, "budget_exhausted", "no", nil).WithRetryAfter(time.Hour)
		}
		return nil
	}
	oai, err := json.Marshal(map[string]string{"model": "default", "voice": "default", "input": story})
	require.NoError(t, err)
	for _, x := range []struct{ path, body string }{
		{"/tts", speechBody(story, "")}, {"/tts", speechBody(story, `,"streaming":true`)}, {"/v1/audio/speech", string(oai)},
	} {
		rec := w.do("globex", "POST", x.path, x.body)
		assert.Equal(t, http.StatusTooManyRequests, rec.Code, rec.Body)
		assert.Equal(t, "3600", rec.Header().Get("Retry-After"))
		assert.Zero(t, w.jobs("globex"))
		assert.Equal(t, http.StatusAccepted, w.do("acme", "POST", "/tts", speechBody(story, "")).Code, "another tenant's is another matter")
	}
	refuse = false
	assert.Equal(t, http.StatusAccepted, w.do("globex", "POST", "/tts", speechBody(story, "")).Code)
	assert.Empty(t, w.gate.Used(w.scope("globex")), "nothing is booked at the door")
	for _, ask := range w.gate.Asked(w.scope("globex")) {
		assert.Zero(t, ask.Amount, "nor held")
	}
	w.gate.Check(t)
}

// What will be spent here at once is leased with the question whether there is room, or with the permit: a stream's, of the voice's own speed.
func TestWhatIsLeasedForAStream(t *testing.T) {
	model, err := speech.FindModel(speech.LocalModel)
	require.NoError(t, err)
	bound := quota.Amount{Chars: 6, Nanos: model.Bound(6)}
	for _, x := range []struct {
		path, body string
		ahead      int // asks
	}{
		{"/tts", speechBody("Water.", ""), 0}, {"/tts", speechBody("Water.", streaming), 1},
		{"/v1/audio/speech", `{"model":"default","voice":"default","input":"Water."}`, 2},
	} {
		w := newWorld(t)
		require.Less(t, w.do("globex", "POST", x.path, x.body).Code, 300)
		ahead, rooms := 0, 0
		for _, ask := range w.gate.Asked(w.scope("globex")) {
			if ask.Ahead == bound {
				ahead++
			} else {
				assert.Zero(t, ask.Ahead)
			}
			if ask.Room == bound {
				rooms++
			}
		}
		assert.Equal(t, []int{x.ahead, 1}, []int{ahead, rooms}, x.path+x.body)
		assert.Empty(t, w.gate.Asked(w.scope("acme")))
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(w *world) { w.opts.Now = clock() })
		ctx, leave := context.WithTimeout(t.Context(), time.Second)
		defer leave()
		w.ServeHTTP(httptest.NewRecorder(), w.request("globex", "POST", "/tts", speechBody("Water.", streaming+`,"speed":2`)).WithContext(ctx))
		assert.Equal(t, 1, w.jobs("globex"))
		for _, ask := range w.gate.Asked(w.scope("globex")) {
			assert.Zero(t, ask.Ahead, "the queue's consumer makes it, elsewhere")
		}
	})
}

// With a budget that is used up a tenant has what was paid already: what was ordered with the same key, what is there, and what is on its way. What would be made is
// refused, and leaves the key free; so does a rate, which says nothing of money.
func TestWhatIsThereWithABudgetThatIsUsedUp(t *testing.T) {
	w := newWorld(t, roomy)
	code := ""
	w.gate.Refuse = func(s tenants.Scope, a quota.Ask) error {
		if code != "" && s.Tenant() == "globex" && a.Room != (quota.Amount{}) {
			return fault.New(fault.Limited, code, "no", nil).WithRetryAfter(time.Hour)
		}
		return nil
	}
	oai := `{"model":"default","voice":"default","input":"Water."}`
	there := w.spokenJob("globex", "Water.")
	keyed := w.do("globex", "POST", "/tts", speechBody("Oil.", ""), "idempotency-key", "k")
	require.Equal(t, http.StatusAccepted, keyed.Code)
	onItsWay := data[struct{ JobID string }](t, keyed).JobID
	w.spokenJob("acme", "Wine.")
	spoken, used := len(w.studio.voice.spoken()), len(w.gate.Used(w.scope("globex")))

	code = "budget_exhausted"
	rec := w.do("globex", "POST", "/tts", speechBody("Oil.", ""), "idempotency-key", "k")
	assert.Equal(t, []string{"202", onItsWay, "true"}, []string{strconv.Itoa(rec.Code), data[struct{ JobID string }](t, rec).JobID, rec.Header().Get("Idempotent-Replayed")})
	rec = w.do("globex", "POST", "/tts", speechBody("Wine.", ""), "idempotency-key", "k")
	assert.Equal(t, "idempotency_conflict", failed(t, rec).Code)
	rec = w.do("globex", "POST", "/tts", speechBody("Oil.", ""))
	require.Equal(t, http.StatusAccepted, rec.Code, rec.Body)
	shares := data[struct {
		JobID  string
		Shared bool
	}](t, rec)
	assert.True(t, shares.Shared && shares.JobID != onItsWay)
	for _, x := range []struct{ path, body string }{{"/tts", speechBody("Water.", streaming)}, {"/v1/audio/speech", oai}} {
		rec := w.do("globex", "POST", x.path, x.body)
		require.Equal(t, http.StatusOK, rec.Code, rec.Body)
		assert.Equal(t, w.file("globex", there), rec.Body.Bytes())
	}
	for _, text := range []string{"Wine.", "New."} { // another tenant's is not theirs
		for _, body := range []string{speechBody(text, ""), speechBody(text, streaming)} {
			rec := w.do("globex", "POST", "/tts", body, "idempotency-key", text)
			assert.Equal(t, []string{"429", "3600", "budget_exhausted"}, []string{strconv.Itoa(rec.Code), rec.Header().Get("Retry-After"), failed(t, rec).Code})
		}
	}
	assert.Equal(t, http.StatusTooManyRequests, w.do("globex", "POST", "/v1/audio/speech", strings.Replace(oai, "Water", "New", 1)).Code)
	assert.Equal(t, 5, w.jobs("globex"), "nothing that would be paid")
	code = "rate_limited"
	rec = w.do("globex", "POST", "/tts", speechBody("Water.", ""))
	assert.Equal(t, []string{"429", "rate_limited"}, []string{strconv.Itoa(rec.Code), failed(t, rec).Code}, "a rate stays a rate")
	assert.Equal(t, []int{spoken, used}, []int{len(w.studio.voice.spoken()), len(w.gate.Used(w.scope("globex")))}, "nothing was spoken, nor paid")
	code = ""
	assert.Equal(t, http.StatusOK, w.do("globex", "POST", "/tts", speechBody("New.", streaming), "idempotency-key", "New.").Code, "the key has stayed free")
	w.gate.Check(t)
}

// A desk that does not answer is 503 on each route, whether it has done its work or not; the same request goes on then.
func TestADeskThatFails(t *testing.T) {
	for name, after := range map[string]bool{"before": false, "after": true} {
		inBubbleOf(t, name, func(t *testing.T) { deskFails(t, after) })
	}
}

func deskFails(t *testing.T, after bool) {
	w := newWorld(t, func(w *world) { w.opts.Now = clock() })
	id := w.spokenJob("acme", "Water.")
	down := true
	fail := func(op string) error {
		if down {
			return fault.Unavailablef(errors.New("secret"), "object_unavailable", "the object does not answer")
		}
		return nil
	}
	if after {
		w.studio.desk.After = fail
	} else {
		w.studio.desk.Before = fail
	}
	requests := []struct{ method, target, body string }{
		{"POST", "/tts", speechBody("Oil.", "")}, {"POST", "/tts", speechBody("Oil.", `,"streaming":true`)},
		{"POST", "/v1/audio/speech", `{"model":"default","voice":"default","input":"Oil."}`}, {"GET", "/tts/jobs", ""},
		{"GET", "/tts/jobs/" + id, ""}, {"GET", "/tts/jobs/" + id + "/audio", ""}, {"DELETE", "/tts/jobs/" + id, ""},
	}
	for i, r := range requests {
		rec := w.do("acme", r.method, r.target, r.body, "idempotency-key", strconv.Itoa(i))
		assert.Equal(t, http.StatusServiceUnavailable, rec.Code, "%s %s", r.method, r.target)
		assert.NotContains(t, rec.Body.String(), "secret")
	}
	down = false
	for i, r := range requests {
		rec := w.do("acme", r.method, r.target, r.body, "idempotency-key", strconv.Itoa(i))
		assert.Less(t, rec.Code, 300, "%s %s: %s", r.method, r.target, rec.Body)
	}
	assert.Equal(t, 4, w.jobs("acme"), "no key has opened two")
}

func TestABacklogThatIsFull(t *testing.T) {
	w := newWorld(t)
	w.deps.Speech = full{w.studio.desk}
	h := api.New(w.deps, &w.opts)
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, w.request("acme", "POST", "/tts", speechBody("a", "")))
	assert.Equal(t, http.StatusTooManyRequests, rec.Code)
	assert.Equal(t, "60", rec.Header().Get("Retry-After"))
	assert.Equal(t, speech.CodeBacklog, failed(t, rec).Code)
}

// full is a desk that takes nothing more.
type full struct{ speech.Desk }

func (full) Open(context.Context, tenants.Scope, speech.Opening) (speech.Opened, error) {
	return speech.Opened{}, fault.New(fault.Limited, speech.CodeBacklog, "too much waits", nil).WithRetryAfter(time.Minute)
}
