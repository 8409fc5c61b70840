package tenants

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// The bounds of sources and of ingestion. tenant.schema.json repeats them.
const (
	MaxSources         = 64
	MaxSecrets         = 4 // of one source
	MaxSyncURLs        = 100
	MaxWeight          = 100
	MaxWaiting         = 1_000_000
	MaxDeadlineMinutes = 1_440
	MinSyncMinutes     = 5
	MaxSyncMinutes     = 43_200 // 30 days
	maxDeletes         = 32
	maxTypeChars       = 200
	maxPointerChars    = 256
	maxMetadataFields  = 32
	maxMetadataName    = 64
	maxURLBytes        = 2_048
	maxPrefixChars     = 500
	maxIDPrefix        = 64
	maxFetchHosts      = 64

	defaultSyncMinutes = 1_440 // a day
)

func (c *Config) sourceDefaults() {
	for i := range c.Sources {
		if sync := c.Sources[i].Sync; sync != nil {
			setDefault(&sync.EveryMinutes, defaultSyncMinutes)
		}
	}
	setDefault(&c.Ingest.Weight, 10)
	setDefault(&c.Ingest.MaxWaiting, 100_000)
	setDefault(&c.Ingest.DeadlineMinutes, 15)
}

func (c *Config) sourceProblems(ps *Problems) {
	if len(c.Sources) > MaxSources {
		ps.add("sources", "", "has %d elements, more than %d", len(c.Sources), MaxSources)
	}
	owner := map[string]string{} // of a secret: a source
	for i, s := range c.Sources {
		at := fmt.Sprintf("sources[%d]", i)
		switch {
		case s.ID == "":
			ps.add(at+".id", idHint, "is required")
		case !isID(s.ID):
			ps.add(at+".id", idHint, "%.40q is not the id of a source", s.ID)
		case slices.ContainsFunc(c.Sources[:i], func(o Source) bool { return o.ID == s.ID }):
			ps.add(at+".id", "", "%q appears twice", s.ID)
		}
		if n := len([]rune(s.Name)); n > maxNameChars {
			ps.add(at+".name", "", "is longer than %d characters", maxNameChars)
		}
		prefixProblems(ps, at+".idPrefix", s.IDPrefix, c.Sources[:i])
		if s.Webhook == nil && s.Sync == nil {
			ps.add(at, "say how its documents come: webhook, sync or both", "is a source of nothing")
		}
		if s.Webhook != nil {
			s.Webhook.problems(ps, at+".webhook")
			secretProblems(ps, at+".webhook.secrets", s, owner)
		}
		if s.Sync != nil {
			s.Sync.problems(ps, at+".sync")
		}
	}
	c.Ingest.problems(ps)
}

// prefixProblems refuses what no document's id can begin with, and prefixes of which one is the beginning of another.
func prefixProblems(ps *Problems, path, prefix string, others []Source) {
	if prefix == "" {
		return
	}
	if !isIDPrefix(prefix) {
		ps.add(path, "such as cms/: letters, digits and . _ ~ : / @ + = , -, a letter or a digit first, / or : last",
			"%.40q is not the beginning of an id, or longer than %d characters", prefix, maxIDPrefix)
	}
	for _, o := range others {
		if o.IDPrefix != "" && (strings.HasPrefix(prefix, o.IDPrefix) || strings.HasPrefix(o.IDPrefix, prefix)) {
			ps.add(path, "give each source ids of its own", "%.40q overlaps with that of the source %q", prefix, o.ID)
		}
	}
}

func isIDPrefix(s string) bool {
	if len(s) > maxIDPrefix || !strings.HasSuffix(s, "/") && !strings.HasSuffix(s, ":") {
		return false
	}
	first := s[0] >= '0' && s[0] <= '9' || s[0] >= 'a' && s[0] <= 'z' || s[0] >= 'A' && s[0] <= 'Z'
	return first && consistsOf(s, "._~:/@+=,-", true)
}

// secretProblems refuses a secret that another source has. A signature does not say for which source it is, so a delivery
// to the one could be sent to the other.
func secretProblems(ps *Problems, path string, s Source, owner map[string]string) {
	list(ps, path, s.Webhook.Secrets, MaxSecrets, isID, "the name of a secret: "+idHint)
	if len(s.Webhook.Secrets) == 0 {
		ps.add(path, "name at least one, such as "+hintSecret(s.ID), "is required")
	}
	for i, name := range s.Webhook.Secrets {
		if other, taken := owner[name]; taken && other != s.ID {
			ps.add(fmt.Sprintf("%s[%d]", path, i), "give each source secrets of its own", "%q is a secret of the source %q also", name, other)
		}
		owner[name] = s.ID
	}
}

func hintSecret(source string) string {
	if isID(source + "-1") {
		return fmt.Sprintf("%q", source+"-1")
	}
	return `"cms-1"`
}

func (w *Webhook) problems(ps *Problems, path string) {
	list(ps, path+".origins", w.Origins, maxOrigins, func(s string) bool { return s == "*" || IsHost(s) },
		"a host name in lower case, or *")
	list(ps, path+".deletes", w.Deletes, maxDeletes, isTypePattern, "an event type, perhaps with a * at its end")
	if w.Fields != nil {
		w.Fields.problems(ps, path+".fields")
	}
}

func (f *Fields) problems(ps *Problems, path string) {
	if f.Text == "" && f.URL == "" {
		ps.add(path, "say where the text is, or the url to fetch it from", "names neither text nor url")
	}
	for name, pointer := range map[string]string{"docId": f.DocID, "text": f.Text, "title": f.Title, "url": f.URL,
		"source": f.Source, "contentType": f.ContentType} {
		if pointer != "" {
			pointerProblem(ps, join(path, name), pointer)
		}
	}
	at := join(path, "metadata")
	if len(f.Metadata) > maxMetadataFields {
		ps.add(at, "", "has %d fields, more than %d", len(f.Metadata), maxMetadataFields)
	}
	for _, name := range slices.Sorted(maps.Keys(f.Metadata)) {
		if !isMetadataName(name) {
			ps.add(join(at, name), "1 to 64 letters, digits, _ and -, a letter or _ first", "%.40q is not the name of a field", name)
			continue
		}
		pointerProblem(ps, join(at, name), f.Metadata[name])
	}
}

func pointerProblem(ps *Problems, path, pointer string) {
	if !isPointer(pointer) {
		ps.add(path, "such as /article/body; write ~0 for ~ and ~1 for / in a name", "%.80q is not a JSON Pointer", pointer)
	}
}

func (s *Sync) problems(ps *Problems, path string) {
	given := 0
	for _, is := range []bool{len(s.URLs) > 0, s.Sitemap != "", s.Prefix != ""} {
		if is {
			given++
		}
	}
	if given != 1 {
		ps.add(path, "", "needs one of urls, sitemap and prefix, and has %d", given)
	}
	list(ps, path+".urls", s.URLs, MaxSyncURLs, isURL, "an address of the web, http or https")
	if s.Sitemap != "" && !isURL(s.Sitemap) {
		ps.add(path+".sitemap", "", "%.80q is not an address of the web, http or https", s.Sitemap)
	}
	if n := len([]rune(s.Prefix)); n > maxPrefixChars || strings.HasPrefix(s.Prefix, "/") {
		ps.add(path+".prefix", "", "begins with / or is longer than %d characters", maxPrefixChars)
	}
	if s.EveryMinutes < MinSyncMinutes || s.EveryMinutes > MaxSyncMinutes {
		ps.add(path+".everyMinutes", "", "%d is not between %d and %d", s.EveryMinutes, MinSyncMinutes, MaxSyncMinutes)
	}
}

func (n *Ingest) problems(ps *Problems) {
	between(ps, "ingest.weight", int64(n.Weight), MaxWeight)
	between(ps, "ingest.maxWaiting", int64(n.MaxWaiting), MaxWaiting)
	between(ps, "ingest.deadlineMinutes", int64(n.DeadlineMinutes), MaxDeadlineMinutes)
	list(ps, "ingest.fetch.hosts", n.Fetch.Hosts, maxFetchHosts, isHostPattern, "a host name in lower case, or *. and one")
}

// isHostPattern reports whether s is a host name or "*." and one: every host below it.
func isHostPattern(s string) bool {
	return IsHost(strings.TrimPrefix(s, "*."))
}

// isTypePattern reports whether s is an event type of visible ASCII, whose last character may be a *.
func isTypePattern(s string) bool {
	name := strings.TrimSuffix(s, "*")
	if name == "" || len(s) > maxTypeChars {
		return false
	}
	for i := range len(name) {
		if c := name[i]; c <= ' ' || c >= 0x7f || c == '*' {
			return false
		}
	}
	return true
}

// isPointer reports whether s is a JSON Pointer to something inside of a value.
func isPointer(s string) bool {
	if s == "" || s[0] != '/' || len([]rune(s)) > maxPointerChars {
		return false
	}
	for i := range len(s) {
		if s[i] == '~' && (i+1 == len(s) || s[i+1] != '0' && s[i+1] != '1') {
			return false
		}
	}
	return true
}

// isMetadataName reports whether s is the name of a metadata field, as documents may have it.
func isMetadataName(s string) bool {
	if s == "" || len(s) > maxMetadataName || s[0] >= '0' && s[0] <= '9' || s[0] == '-' {
		return false
	}
	return consistsOf(s, "_-", true)
}

// isURL reports whether s is an absolute address of the web in visible ASCII, without a user in it.
func isURL(s string) bool {
	if len(s) > maxURLBytes || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return false
	}
	u, err := url.Parse(s)
	return err == nil && (strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://")) && u.Hostname() != "" && u.User == nil
}
