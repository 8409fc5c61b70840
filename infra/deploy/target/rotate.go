package target

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tailscale/hujson"

	"levada.dev/events/fault"
	"levada.dev/tenants"
)

// Webhook stands for the webhook that tells the tenant, SpeechWebhook for that which tells of speech in its place, where a source is named. Sources do not have
// the id of the second, and are told from the first by whoever asks.
const (
	Webhook       = "/webhook"
	SpeechWebhook = "speech.webhook"
)

// hooks are the webhooks that are no source's, by what stands for them.
var hooks = map[string]struct {
	path       string // in the configuration
	base       string // of a secret's name
	what, hint string // is missing, and what to do
}{
	Webhook: {
		"webhook", "told",
		"webhook", "webhook in its configuration; that of speech alone is rotated with --speech",
	},
	SpeechWebhook: {
		"speech.webhook", "speech",
		"webhook that tells of speech alone", "speech.webhook in its configuration; webhook is rotated with --webhook",
	},
}

// AddSecret is a tenant's configuration with one secret more for a source or the SpeechWebhook, before the others, so that both hold while the
// other side changes over; and the secret's name: cms-2 after cms-1. Everything else stays as it was written.
func AddSecret(src []byte, source string) (out []byte, name string, err error) {
	tree, names, list, err := secretsOf(src, source)
	if err != nil {
		return nil, "", err
	}
	name = nextName(source, names)
	if len(list.Elements) == 0 {
		return nil, "", fault.Invalidf("", "source_invalid", "the source %q names no secret yet", source).WithHint("name one in sources[].webhook.secrets, such as " + name)
	}
	first := hujson.Value{BeforeExtra: slices.Clone(list.Elements[0].BeforeExtra), Value: hujson.String(name)}
	if !bytes.ContainsRune(first.BeforeExtra, '\n') {
		list.Elements[0].BeforeExtra = hujson.Extra(" ")
	}
	list.Elements = slices.Insert(list.Elements, 0, first)
	out = tree.Pack()
	if _, err := tenants.Parse(out); err != nil {
		return nil, "", err
	}
	return out, name, nil
}

// DropSecrets is a tenant's configuration in which a source, or the SpeechWebhook, has its first secret alone, the newest, and the names that it had besides.
func DropSecrets(src []byte, source string) (out []byte, dropped []string, err error) {
	tree, names, list, err := secretsOf(src, source)
	if err != nil || len(names) < 2 {
		return src, nil, err
	}
	list.Elements = list.Elements[:1]
	out = tree.Pack()
	if _, err := tenants.Parse(out); err != nil {
		return nil, nil, err
	}
	return out, names[1:], nil
}

// secretsOf finds the secrets of a source in a configuration that has no mistake.
func secretsOf(src []byte, source string) (*hujson.Value, []string, *hujson.Array, error) {
	c, err := tenants.Parse(src)
	if err != nil {
		return nil, nil, nil, err
	}
	tree, err := hujson.Parse(slices.Clone(src))
	if err != nil {
		return nil, nil, nil, err
	}
	if h, is := hooks[source]; is {
		for _, hook := range c.Hooks() {
			if hook.Path == h.path {
				list := tree.Find("/" + strings.ReplaceAll(h.path, ".", "/") + "/secrets")
				return &tree, hook.Secrets, list.Value.(*hujson.Array), nil // it was parsed, so it is there
			}
		}
		return nil, nil, nil, fault.Missing("webhook_not_found", "the tenant %s has no %s", c.ID, h.what).WithHint(h.hint)
	}
	var ids []string
	for i, s := range c.Sources {
		if s.ID != source {
			ids = append(ids, s.ID)
			continue
		}
		if s.Webhook == nil {
			return nil, nil, nil, fault.Invalidf("", "source_invalid", "the source %q has no webhook, and so no secrets", source)
		}
		v := tree.Find(fmt.Sprintf("/sources/%d/webhook/secrets", i))
		return &tree, s.Webhook.Secrets, v.Value.(*hujson.Array), nil // it was parsed, so it is there
	}
	missing := fault.Missing("source_not_found", "the tenant %s has no source %.40q", c.ID, source)
	if len(ids) > 0 {
		return nil, nil, nil, missing.WithHint(didYouMean(source, ids))
	}
	return nil, nil, nil, missing
}

// nextName counts on from the largest number that a name of the source ends with.
func nextName(source string, names []string) string {
	base, largest := source, 0
	if h, is := hooks[source]; is {
		base = h.base
	}
	for _, name := range names {
		i := strings.LastIndexByte(name, '-')
		if i < 0 {
			continue
		}
		if n, err := strconv.Atoi(name[i+1:]); err == nil && n > largest {
			base, largest = name[:i], n
		}
	}
	return fmt.Sprintf("%s-%d", base, largest+1)
}
