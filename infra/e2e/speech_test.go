package e2e

import (
	"fmt"
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
		sounds = append(sounds, a.Body)

		for _, other := range tenants {
			if other != tenant {
				assert.Equal(t, http.StatusNotFound, asOn(t, p, other).do(http.MethodGet, "/tts/jobs/"+jobs[tenant]+"/audio", nil).Status)
			}
		}
	}
	assert.NotEqual(t, sounds[0], sounds[1])
}
