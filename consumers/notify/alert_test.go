package notify_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/consumers"
	"levada.dev/consumers/notify"
	"levada.dev/events"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
)

// told makes a consumer of one tenant's webhooks: that of everything, and that of speech.
func told(t *testing.T, all, speech *tenants.Hook) *world {
	t.Helper()
	w := newWorld(t, &notify.Options{}, nil, nil)
	config := tenantstest.Config(t, "acme", func(c *tenants.Config) { c.Webhook, c.Speech.Webhook = all, speech })
	w.vault = tenantstest.Vault(t, config)
	directory, _ := tenantstest.Directory(t, config)
	w.consumer = notify.New(notify.Ports{Directory: directory, Secrets: tenantstest.Secrets(t, w.vault, config), Do: w.do}, nil)
	w.servers["https://all.example.com"], w.servers["https://speech.example.com"] = answers(200), answers(200)
	return w
}

var alert = events.AlertRef{
	Alert: "slow", Name: "Too slow", Metric: "latency_p95", Comparator: ">", Threshold: 800, Unit: "ms", Period: "5m", FiredAt: began,
}

func (w *world) fired() []error {
	f := events.AlertFired{AlertRef: alert, Value: 912.5}
	return w.consumer.Fired(w.t.Context(), w.acme, []consumers.Of[events.AlertFired]{{Delivery: w.delivery(w.acme, f), Fact: f}})
}

func TestAlertsAreTold(t *testing.T) {
	w := told(t, hook("https://all.example.com/", "told-1", "told-2"), nil)
	for range 2 {
		require.Equal(t, []error{nil}, w.fired())
	}
	for _, f := range []events.AlertResolved{{AlertRef: alert, Value: new(float64), Reason: events.AlertEnded}, {AlertRef: alert, Reason: events.AlertRemoved}} {
		require.Equal(t, []error{nil}, w.consumer.Resolved(t.Context(), w.acme, []consumers.Of[events.AlertResolved]{{Delivery: w.delivery(w.acme, f), Fact: f}}))
	}
	require.Len(t, w.heard, 4)
	const about = `"metric":"latency_p95","comparator":"\u003e","threshold":800,`
	const rest = `"unit":"ms","period":"5m","firedAt":"2026-11-23T06:00:00Z"}}`
	const id = `"timestamp":"2026-11-23T06:00:00Z","data":{"alertId":"slow","name":"Too slow",`
	assert.Equal(t, `{"type":"alert.fired",`+id+`"state":"firing",`+about+`"value":912.5,`+rest, string(w.heard[0].body))
	assert.Equal(t, `{"type":"alert.resolved",`+id+`"state":"resolved","reason":"ended",`+about+`"value":0,`+rest, string(w.heard[2].body))
	assert.Equal(t, `{"type":"alert.resolved",`+id+`"state":"resolved","reason":"removed",`+about+rest, string(w.heard[3].body))
	for _, h := range w.heard {
		w.verify(h, "acme", "told-1", "told-2")
	}
	assert.Equal(t, w.heard[0].header.Get("webhook-id"), w.heard[1].header.Get("webhook-id"), "it is the same message")
	assert.NotEqual(t, w.heard[0].header.Get("webhook-id"), w.heard[2].header.Get("webhook-id"))
}

// Speech has a webhook of its own, or that of everything; where only speech has one, alerts go there.
func TestWhoIsToldOfWhat(t *testing.T) {
	all, speech := hook("https://all.example.com/", "told-1"), hook("https://speech.example.com/", "speech-1")
	for _, c := range []struct {
		all, speech *tenants.Hook
		want        []string
	}{
		{all, speech, []string{"https://all.example.com/", "https://speech.example.com/"}},
		{all, nil, []string{"https://all.example.com/", "https://all.example.com/"}},
		{nil, speech, []string{"https://speech.example.com/", "https://speech.example.com/"}},
		{nil, nil, nil},
	} {
		w := told(t, c.all, c.speech)
		require.Equal(t, []error{nil}, w.fired())
		require.Equal(t, []error{nil}, w.tell(w.acme, w.spoken(w.acme, "j1")))
		var urls []string
		for _, h := range w.heard {
			urls = append(urls, h.url)
		}
		assert.Equal(t, c.want, urls)
	}
}
