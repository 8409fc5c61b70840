package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/client"
	"levada.dev/infra/dev/localai"
	"levada.dev/infra/local"
	"levada.dev/tenants"
	"levada.dev/workflows/job"
	"levada.dev/workflows/speech"
	"levada.dev/workflows/speech/audio"
)

// narration is a text of so many chapters, each of some 250 characters, and a part of its own.
func narration(chapters int) string {
	var b strings.Builder
	for i := range chapters {
		fmt.Fprintf(&b, "# Chapter %d\n%s\n", i+1, strings.Repeat("The channel carries water from the spring to the terraces. ", 4))
	}
	return b.String()
}

// speechJob is a job as the API shows it.
type speechJob struct {
	client.SpeechJob
	Timestamps []struct{ Start, End, StartMS, EndMS int64 }
}

func (u user) speech(id string) (j speechJob, err error) {
	a, err := u.try(http.MethodGet, "/tts/jobs/"+id, nil)
	if err == nil {
		err = a.decode(&j)
	}
	return j, err
}

// uttered is what the gateway's providers were asked to speak for a tenant, and did.
func uttered(t *testing.T, p *local.Local, tenant string) (paid, kept int) {
	t.Helper()
	var log struct{ Result []localai.Log }
	filters := `[{"key":"metadata.key","operator":"eq","value":["tenant_id"]},{"key":"metadata.value","operator":"eq","value":["` + tenant + `"]}]`
	getJSON(t, p.GatewayURL()+"/gateways/levada/logs?per_page=50&filters="+url.QueryEscape(filters), &log)
	for _, call := range log.Result {
		switch {
		case call.Metadata["route"] != "speech" || !call.Success:
		case call.Cached:
			kept++
		default:
			paid++
		}
	}
	return paid, kept
}

// Two tenants have the same long text spoken, and workerd dies in the middle, once while the first parts are spoken and once more later: both have all of it,
// each in the voice of its own model, and no part was paid twice.
func TestWorkerdDiesInTheMiddleOfANarration(t *testing.T) {
	t.Parallel()
	const chapters = 24
	text := narration(chapters)
	require.Greater(t, utf8.RuneCountInString(text), speech.MaxStreamed)
	state := newState(t)
	p := own(t, state)
	tenants := []string{"acme", "globex"}
	jobs := map[string]string{}
	for _, tenant := range tenants {
		var job accepted
		a := asOn(t, p, tenant).do(http.MethodPost, "/tts", map[string]any{"text": text})
		require.Equal(t, http.StatusAccepted, a.Status, "%s", a.Body)
		a.into(t, &job)
		jobs[tenant] = job.JobID
	}
	for death, at := range []int{1, 55} { // percent
		eventually(t, fmt.Sprintf("%d %% are spoken", at), func() bool {
			for _, tenant := range tenants {
				if j, err := asOn(t, p, tenant).speech(jobs[tenant]); err != nil || j.Percent < at {
					return false
				}
			}
			return true
		})
		for _, pid := range children(t, p.PID()) {
			require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
		}
		t.Log("death", death+1)
	}
	var sounds [][]byte
	for _, tenant := range tenants {
		u := asOn(t, p, tenant)
		var j speechJob
		eventually(t, "the job of "+tenant+" ends", func() bool {
			var err error
			j, err = u.speech(jobs[tenant])
			return err == nil && j.State.Final()
		})
		require.Equal(t, job.Succeeded, j.State, "%+v", j.Error)
		assert.Equal(t, []int{100, j.Characters}, []int{j.Percent, j.Spoken})
		assert.Len(t, j.Chapters, chapters)

		paid, kept := uttered(t, p, tenant)
		t.Logf("%s: %d parts, %d were paid, %d had been when workerd died", tenant, len(j.Timestamps), paid, kept)
		assert.Equal(t, len(j.Timestamps), paid, "each part is paid once")

		a := u.do(http.MethodGet, "/tts/jobs/"+jobs[tenant]+"/audio", nil)
		require.Equal(t, []any{http.StatusOK, "audio/wav"}, []any{a.Status, a.Header.Get("content-type")})
		assert.EqualValues(t, j.Bytes, len(a.Body))
		pcm, err := audio.ReadWAV(a.Body)
		require.NoError(t, err)
		assert.Equal(t, len(a.Body), audio.HeaderSize+len(pcm.Data), "the header says how long it is")
		assert.Equal(t, j.DurationMS, pcm.Duration().Milliseconds())
		assert.Greater(t, audio.RMS(pcm), 0.01, "it is not silent")
		ranges(u, jobs[tenant], a)
		sounds = append(sounds, a.Body)

		for _, other := range tenants {
			if other != tenant {
				assert.Equal(t, http.StatusNotFound, asOn(t, p, other).do(http.MethodGet, "/tts/jobs/"+jobs[tenant]+"/audio", nil).Status)
			}
		}
	}
	assert.NotEqual(t, sounds[0], sounds[1])
}

// ranges checks that every part of a job's audio is what it is of the whole, wherever the parts that it was spoken in meet.
func ranges(u user, id string, whole answer) {
	t, size, tag := u.t, len(whole.Body), whole.Header.Get("etag")
	t.Helper()
	require.NotEmpty(t, tag)
	from, to := max(1, size/2-500_000), min(size-1, size/2+500_000) // more than a part has
	for name, x := range map[string]struct {
		value    string
		from, to int
	}{
		"the first byte":     {"bytes=0-0", 0, 1},
		"the header":         {"bytes=0-43", 0, 44},
		"over the header":    {"bytes=40-9999", 40, 10_000},
		"the middle":         {fmt.Sprintf("bytes=%d-%d", from, to-1), from, to},
		"the last bytes":     {"bytes=-1001", size - 1001, size},
		"from there":         {fmt.Sprintf("bytes=%d-", size-7), size - 7, size},
		"further than it is": {fmt.Sprintf("bytes=%d-%d", size-7, 2*size), size - 7, size},
	} {
		for _, same := range []string{tag, ""} {
			headers := []string{"range", x.value}
			if same != "" {
				headers = append(headers, "if-range", same)
			}
			a := u.do(http.MethodGet, "/tts/jobs/"+id+"/audio", nil, headers...)
			require.Equal(t, http.StatusPartialContent, a.Status, "%s: %s", name, x.value)
			assert.Equal(t, fmt.Sprintf("bytes %d-%d/%d", x.from, x.to-1, size), a.Header.Get("content-range"), name)
			assert.True(t, bytes.Equal(whole.Body[x.from:x.to], a.Body), "%s: %s is not what it is of the whole", name, x.value)
		}
	}
	a := u.do(http.MethodHead, "/tts/jobs/"+id+"/audio", nil, "range", "bytes=0-99", "if-range", `"another"`)
	assert.Equal(t, []string{"200", fmt.Sprint(size)}, []string{fmt.Sprint(a.Status), a.Header.Get("content-length")}, "of another sound it is the whole")
	for _, outside := range []string{fmt.Sprintf("bytes=%d-", size), "bytes=-0"} {
		a = u.do(http.MethodGet, "/tts/jobs/"+id+"/audio", nil, "range", outside)
		assert.Equal(t, []any{http.StatusRequestedRangeNotSatisfiable, fmt.Sprintf("bytes */%d", size)}, []any{a.Status, a.Header.Get("content-range")}, outside)
	}
}

// leave listens to a text until its first bytes come, and leaves. It answers the job.
func (u user) leave(text string) (id string) {
	u.t.Helper()
	ctx, cancel := context.WithCancel(u.t.Context())
	defer cancel()
	body, err := json.Marshal(map[string]any{"text": text, "streaming": true})
	require.NoError(u.t, err)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.url+"/tts", bytes.NewReader(body))
	require.NoError(u.t, err)
	req.Header.Set("authorization", "Bearer "+u.key)
	req.Header.Set("content-type", "application/json")
	resp, err := uploads.Do(req)
	require.NoError(u.t, err)
	defer resp.Body.Close()
	require.Equal(u.t, []any{http.StatusOK, "audio/wav"}, []any{resp.StatusCode, resp.Header.Get("content-type")})
	first := make([]byte, 4096)
	_, err = io.ReadFull(resp.Body, first)
	require.NoError(u.t, err)
	require.Equal(u.t, audio.WAV, audio.Sniff(first))
	return resp.Header.Get("x-job-id")
}

// Who listens to a stream leaves in the middle, in each of two tenants with the same text: it is spoken to its end all the same, once, and who asks again has it.
func TestAListenerLeavesInTheMiddle(t *testing.T) {
	t.Parallel()
	const later = `{"script": {"tokens": ["The water", " comes later."], "firstDelayMs": 6000}}`
	text := "Water leaves the spring.\n\n# The fields\n" + later + "\n\n# The sea\n" + later
	var users []user
	jobs := map[string]string{}
	for _, name := range []string{"leaves", "hears"} {
		u := newcomer(t, name)
		u.key = u.publish(func(c *tenants.Config) {
			c.Speech = tenants.Speech{Enabled: true, Model: speech.LocalModel, KeepDays: 1}
		})
		users = append(users, u)
	}
	for _, u := range users {
		jobs[u.tenant] = u.leave(text)
		j, err := u.speech(jobs[u.tenant])
		require.NoError(t, err)
		assert.Equal(t, job.Running, j.State, "there is more of it")
		assert.Less(t, j.Spoken, j.Characters)
	}
	for _, u := range users {
		var j speechJob
		eventually(t, "the job of "+u.tenant+" ends", func() bool {
			var err error
			j, err = u.speech(jobs[u.tenant])
			return err == nil && j.State.Final()
		})
		require.Equal(t, job.Succeeded, j.State, "%+v", j.Error)
		whole := u.do(http.MethodGet, "/tts/jobs/"+jobs[u.tenant]+"/audio", nil)
		require.Equal(t, http.StatusOK, whole.Status)
		assert.EqualValues(t, j.Bytes, len(whole.Body))
		ranges(u, jobs[u.tenant], whole)

		again := u.do(http.MethodPost, "/tts", map[string]any{"text": text, "streaming": true})
		require.Equal(t, http.StatusOK, again.Status)
		assert.True(t, bytes.Equal(whole.Body, again.Body))
		paid, kept := uttered(t, platform, u.tenant)
		assert.Equal(t, []int{len(j.Timestamps), 0}, []int{paid, kept}, "each part once, in one go")
		var usage struct {
			Lines []struct {
				Capability string
				Calls      int
			}
		}
		eventually(t, "what "+u.tenant+" spoke is on its account, and nothing else", func() bool {
			u.do(http.MethodGet, "/usage", nil).into(t, &usage)
			return len(usage.Lines) == 1 && usage.Lines[0].Capability == "speech" && usage.Lines[0].Calls == len(j.Timestamps)
		})
		for _, other := range users {
			if other.tenant != u.tenant {
				assert.Equal(t, http.StatusNotFound, other.do(http.MethodGet, "/tts/jobs/"+jobs[u.tenant]+"/audio", nil).Status)
			}
		}
	}
}
