package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/tenants"
	"levada.dev/tenants/rows"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/trail"
)

// happened puts n entries on record for a tenant: every third tells an act.
func (p *postbox) happened(tenant string, n int) {
	p.Helper()
	s := tenantstest.Scope(p, tenant)
	for i := range n {
		e := events.AuditEntry{
			ID: fmt.Sprint(tenant, i), Type: events.TypeDocumentIndexed, Source: s.Source("test"), Subject: fmt.Sprint("documents/", i),
			Time: time.Date(2026, 11, 22, 8, i, 0, 0, time.UTC), SHA256: strings.Repeat("ab", 32),
		}
		if i%3 == 0 {
			e.Act = &events.Act{Kind: events.ActAdmin, Name: "jobs.cancel", Actor: "ops", UserID: "ada", Target: fmt.Sprint("jobs/", i), Outcome: events.OutcomeRefused, Code: "job_not_found", Count: 2}
		}
		require.NoError(p, p.trail.Append(p.Context(), s, []events.AuditEntry{e}))
	}
}

// exported has the trail of a tenant exported, and is a folder with its segments.
func (p *postbox) exported(tenant string) string {
	p.Helper()
	s, folder := tenantstest.Scope(p, tenant), p.TempDir()
	require.NoError(p, p.trail.Alarm(s))
	for key, body := range p.trail.Exported(s) {
		require.NoError(p, os.WriteFile(filepath.Join(folder, path.Base(key)), []byte(body), 0o600))
	}
	return folder
}

// exits runs a command and returns how it ends.
func (p *postbox) exits(tenant string, args ...string) (code int, stdout, stderr string) {
	p.Helper()
	var out, errs bytes.Buffer
	code = execute(p.Context(), &globals{}, append(args, "--url", p.url, "--tenant", tenant, "--state-dir", p.state), &out, &errs)
	return code, out.String(), errs.String()
}

func (p *postbox) headOf(tenant string) string {
	p.Helper()
	_, out, _ := p.exits(tenant, "audit", "verify")
	_, head, found := strings.Cut(out, "\nhead ")
	require.True(p, found, out)
	return strings.TrimSpace(head)
}

func TestWhatIsOnRecordIsListed(t *testing.T) {
	p := newPostbox(t)
	p.happened("acme", 7)
	p.happened("globex", 1)
	require.NoError(t, p.trail.Append(t.Context(), tenantstest.Scope(t, "acme"), []events.AuditEntry{{
		ID: "flagged", Type: events.TypeTextFlagged, Source: "/tenants/acme/api", Subject: "safety", Time: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC), SHA256: strings.Repeat("ab", 32),
		Act: &events.Act{Kind: events.ActSafety, Name: "POST /chat", Outcome: events.OutcomeFlagged, Findings: []events.Finding{{In: events.InInput, Category: "injection", Rule: "override", Score: 0.97}}},
	}}))
	code, out, _ := p.exits("acme", "audit", "--kind", "safety")
	require.Zero(t, code)
	assert.Contains(t, out, "flagged, injection in input (0.97)")
	code, out, _ = p.exits("acme", "audit")
	require.Zero(t, code)
	for _, want := range []string{"jobs.cancel", "jobs/6", "ops for ada", "refused, job_not_found, 2 times", "2026-11-22 08:06:00"} {
		assert.Contains(t, out, want)
	}
	assert.NotContains(t, out, "document.indexed")
	_, out, _ = p.exits("acme", "audit", "--events")
	assert.Contains(t, out, "document.indexed.v1")
	_, out, _ = p.exits("acme", "audit", "--kind", "event", "--since", "2026-11-22T08:05:00Z", "--until", "2026-11-23")
	assert.Contains(t, out, "documents/5")
	assert.NotContains(t, out, "documents/4")
	_, out, stderr := p.exits("acme", "audit", "--limit", "1", "--json")
	assert.Equal(t, 1, strings.Count(out, `"prev"`))
	assert.Empty(t, stderr)
	_, _, stderr = p.exits("acme", "audit", "--limit", "1")
	assert.Contains(t, stderr, "there are more")
	_, out, _ = p.exits("globex", "audit", "--actor", "nobody")
	assert.Equal(t, "nothing on record\n", out)
	for _, args := range [][]string{
		{"--kind", "other"}, {"--outcome", "good"}, {"--since", "soon"}, {"--limit", "-1"}, {"--since", "2026-11-22", "--until", "2026-11-21"}, {"--name", ""},
	} {
		code, _, stderr := p.exits("acme", append([]string{"audit"}, args...)...)
		assert.Equal(t, exitUsage, code, args)
		assert.Contains(t, stderr, "--", args)
	}
}

func TestAGoodTrailIsVerified(t *testing.T) {
	p := newPostbox(t)
	code, out, _ := p.exits("acme", "audit", "verify")
	require.Zero(t, code)
	assert.Contains(t, out, "acme: 0 entries fit")
	p.happened("acme", 7)
	p.happened("globex", 2)
	folder := p.exported("acme")
	p.happened("acme", 9)
	code, out, stderr := p.exits("acme", "audit", "verify", "--from-dir", folder)
	require.Zero(t, code, stderr)
	assert.Contains(t, out, "acme: 9 entries fit, from 1 to 9\n1 segment, up to entry 7, have the same\nhead ")
	head := p.headOf("acme")
	for _, args := range [][]string{{"--head", head}, {"--head", head, "--from-dir", folder}, {"--from-dir", folder, "--offline"}} {
		code, _, stderr = p.exits("acme", append([]string{"audit", "verify"}, args...)...)
		assert.Zero(t, code, stderr)
	}
	_, hash, _ := strings.Cut(head, ":")
	_, out, _ = p.exits("acme", "audit", "verify", "--json", "--head", hash, "--head", head)
	for _, want := range []string{`"hash": "` + hash + `"`, `"noted": 2`} {
		assert.Contains(t, out, want)
	}
	_, out, _ = p.exits("globex", "audit", "verify")
	assert.Contains(t, out, "globex: 2 entries fit")
	code, _, stderr = p.exits("globex", "audit", "verify", "--from-dir", folder)
	assert.Equal(t, exitBroken, code)
	assert.Contains(t, stderr, "another tenant's")
	code, _, stderr = p.exits("globex", "audit", "verify", "--head", head)
	assert.Equal(t, exitBroken, code)
	assert.Contains(t, stderr, "entry 3: it is missing, and so is all that follows: 9 was noted")
	code, _, stderr = p.exits("globex", "audit", "verify", "--head", hash)
	assert.Equal(t, exitBroken, code)
	assert.Contains(t, stderr, "no entry has the hash")

	for _, args := range [][]string{{"--head", "2f1b"}, {"--head", "0:" + hash}, {"--head", "x:" + hash}, {"--head", head + ":"}, {"--offline"}, {"more"}} {
		code, _, _ := p.exits("acme", append([]string{"audit", "verify"}, args...)...)
		assert.Equal(t, exitUsage, code, args)
	}
	code, _, stderr = p.exits("acme", "audit", "verify", "--from-dir", t.TempDir())
	assert.Equal(t, exitProblem, code)
	assert.Contains(t, stderr, "has no segments")
}

// A trail that begins with an erasure says so; copies of what went show one that is made up.
func TestATrailThatBeginsWithAnErasure(t *testing.T) {
	p := newPostbox(t)
	p.happened("acme", 4)
	p.happened("globex", 4)
	folder := p.exported("acme")
	erase := func(head string) {
		entry, line, err := trail.Link(trail.Head{Seq: 4, Hash: head}, events.AuditEntry{
			ID: "e", Type: events.TypeTenantErased, Source: "/tenants/acme/objects", Subject: "tenant", SHA256: strings.Repeat("0", 64),
			Time: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC), Act: &events.Act{Actor: "operations"},
		})
		require.NoError(t, err)
		p.trail.Rows(tenantstest.Scope(t, "acme"), func(tx rows.Tx) {
			cut(tx, 1, 4)
			_ = tx.Put(rowKey(5), line)
			_ = tx.Put("s", fmt.Appendf(nil, `{"h":{"seq":5,"hash":%q}}`, entry.Hash))
		})
	}
	_, hash, _ := strings.Cut(p.headOf("acme"), ":")
	erase(hash)
	code, out, stderr := p.exits("acme", "audit", "verify", "--from-dir", folder)
	require.Zero(t, code, stderr)
	assert.Contains(t, out, "acme: 1 entry fit, from 5 to 5\nit begins with an erasure of everything, on 2026-11-22 08:00:00 by operations: entries 1 to 4 went, of which the last was "+hash)

	erase(strings.Repeat("b2", 32))
	_, out, _ = p.exits("acme", "audit", "verify", "--json")
	assert.Contains(t, out, `"by": "operations"`, "alone it fits, and says what it rests on")
	code, _, stderr = p.exits("acme", "audit", "verify", "--from-dir", folder)
	assert.Equal(t, exitBroken, code)
	assert.Contains(t, stderr, "entry 5: it says that all before it was erased, and does not follow what was exported")
	code, out, _ = p.exits("globex", "audit", "verify")
	assert.Zero(t, code)
	assert.Contains(t, out, "globex: 4 entries fit, from 1 to 4\nhead")
}

// anew makes the chain of a tenant's rows anew from a place on: what is there says that somebody else did it, and fits in itself.
func anew(tx rows.Tx, s tenants.Scope, from int) {
	head := trail.Head{Hash: trail.Genesis(s.Tenant())}
	if from > 1 {
		line, _ := tx.Get(rowKey(from - 1))
		e, _ := trail.Read(line)
		head = trail.Head{Seq: e.Seq, Hash: e.Hash}
	}
	for i := from; ; i++ {
		line, _ := tx.Get(rowKey(i))
		if line == nil {
			return
		}
		e, _ := trail.Read(line)
		if i == from {
			e.Subject = "documents/forged"
		}
		e, line, _ = trail.Link(head, e.AuditEntry)
		_ = tx.Put(rowKey(i), line)
		head = trail.Head{Seq: e.Seq, Hash: e.Hash}
	}
}

func rowKey(i int) string { return fmt.Sprintf("e/%012d", i) }

// unexported has the object forget that it has exported anything, and where the trail ends.
func unexported(tx rows.Tx) { _ = tx.Put("s", []byte("{}")) }

// ended has the object believe that the trail ends with the last row there is.
func ended(tx rows.Tx) {
	last, _ := tx.Reverse("e/", "e0", 1)
	e, _ := trail.Read(last[0].Value)
	var state map[string]any
	b, _ := tx.Get("s")
	_ = json.Unmarshal(b, &state)
	state["h"] = trail.Head{Seq: e.Seq, Hash: e.Hash}
	b, _ = json.Marshal(state)
	_ = tx.Put("s", b)
}

func cut(tx rows.Tx, from, to int) {
	for i := from; i <= to; i++ {
		_ = tx.Delete(rowKey(i))
	}
}

// Of what is done to a trail of 9 entries, of which 7 were exported, the first entry that does not fit is named, and by what it is found: the rows
// alone, segments that were copied, the heads of 5 and of all that were noted. The other tenant's trail fits.
func TestATrailThatWasTamperedWith(t *testing.T) {
	edit := func(tx rows.Tx, i int, old, new string) {
		line, _ := tx.Get(rowKey(i))
		_ = tx.Put(rowKey(i), []byte(strings.Replace(string(line), old, new, 1)))
	}
	move := func(tx rows.Tx, from, to int) {
		line, _ := tx.Get(rowKey(from))
		_ = tx.Put(rowKey(to), line)
	}
	const unseen = ""
	for name, c := range map[string]struct {
		tamper func(tx rows.Tx, other func(i int) []byte) // other is the rows of globex
		file   func(text, other string) string            // what is done to the segment; other is that of globex
		name   string                                     // what it is called then

		alone, copied, noted string // what is said with nothing, with the copied segments, with the noted heads
	}{
		"a row is edited": {tamper: func(tx rows.Tx, _ func(int) []byte) { edit(tx, 4, `"ops"`, `"eve"`) },
			alone: "the trail, entry 4: it was changed", copied: "entry 4: it was changed", noted: "entry 4: it was changed"},
		"the last row is edited": {tamper: func(tx rows.Tx, _ func(int) []byte) { edit(tx, 9, `"documents/8"`, `"documents/9"`) },
			alone: "entry 9: it was changed", copied: "entry 9: it was changed", noted: "entry 9: it was changed"},
		"a row is removed":       {tamper: func(tx rows.Tx, _ func(int) []byte) { cut(tx, 4, 4) }, alone: "entry 4: it is missing: 5 comes", copied: "entry 4: it is missing", noted: "entry 4: it is missing"},
		"the first is removed":   {tamper: func(tx rows.Tx, _ func(int) []byte) { cut(tx, 1, 1) }, alone: "entry 1: it is missing", copied: "entry 1: it is missing", noted: "entry 1: it is missing"},
		"a row is unreadable":    {tamper: func(tx rows.Tx, _ func(int) []byte) { _ = tx.Put(rowKey(4), []byte("{")) }, alone: "entry 4: it cannot be read", copied: "entry 4: it cannot", noted: "entry 4: it cannot"},
		"the last is unreadable": {tamper: func(tx rows.Tx, _ func(int) []byte) { _ = tx.Put(rowKey(9), []byte("?")) }, alone: "entry 9: it cannot be read", copied: "entry 9: it cannot", noted: "entry 9: it cannot"},
		"rows are swapped": {tamper: func(tx rows.Tx, _ func(int) []byte) {
			move(tx, 2, 99)
			move(tx, 3, 2)
			move(tx, 99, 3)
			cut(tx, 99, 99)
		},
			alone: "entry 2: it is missing: 3 comes instead", copied: "entry 2: it is missing", noted: "entry 2: it is missing"},
		"a row is put in again": {tamper: func(tx rows.Tx, _ func(int) []byte) { move(tx, 3, 10) }, alone: "entry 10: 3 is in its place", copied: "entry 10", noted: "entry 10"},
		"a row is put in between": {tamper: func(tx rows.Tx, _ func(int) []byte) {
			for i := 9; i >= 5; i-- {
				move(tx, i, i+1)
			}
			move(tx, 4, 5)
		}, alone: "entry 5: 4 is in its place", copied: "entry 5", noted: "entry 5"},
		"another tenant's row is put in its place": {tamper: func(tx rows.Tx, other func(i int) []byte) {
			_ = tx.Put(rowKey(4), other(4))
		}, alone: "entry 4: it follows another entry than 3", copied: "entry 4", noted: "entry 4"},
		"another tenant's rows are put in their place": {tamper: func(tx rows.Tx, other func(i int) []byte) {
			cut(tx, 1, 9)
			for i := 1; i <= 7; i++ {
				_ = tx.Put(rowKey(i), other(i))
			}
		}, alone: "entry 1: it is not the beginning of acme's trail", copied: "entry 1", noted: "entry 1"},
		"the end is cut off that was not exported": {tamper: func(tx rows.Tx, _ func(int) []byte) { cut(tx, 8, 9) },
			alone: "entry 8: it is missing, and so is all that follows: the trail ends with 9", copied: "entry 8: it is missing", noted: "entry 8: it is missing, and so is all that follows: 9 was noted"},
		"the last row is removed": {tamper: func(tx rows.Tx, _ func(int) []byte) { cut(tx, 9, 9) },
			alone: "entry 9: it is missing, and so is all that follows: the trail ends with 9", copied: "entry 9: it is missing", noted: "entry 9: it is missing"},
		"the end is cut off, and that it was there": {tamper: func(tx rows.Tx, _ func(int) []byte) { cut(tx, 8, 9); ended(tx) },
			alone: unseen, copied: unseen, noted: "entry 8: it is missing, and so is all that follows: 9 was noted"},
		"the end is cut off": {tamper: func(tx rows.Tx, _ func(int) []byte) { cut(tx, 6, 9) },
			alone: "entry 6: it is missing, and so is all that follows: the trail ends with 9", copied: "entry 6: it was exported, and is gone", noted: "entry 6: it is missing"},
		"the end is cut off, and that it was exported": {tamper: func(tx rows.Tx, _ func(int) []byte) { cut(tx, 6, 9); unexported(tx) },
			alone: unseen, copied: "entry 6: it was exported, and is gone", noted: "entry 6: it is missing, and so is all that follows: 9 was noted"},
		"everything is removed": {tamper: func(tx rows.Tx, _ func(int) []byte) { cut(tx, 1, 9); unexported(tx) },
			alone: unseen, copied: "entry 1: it was exported, and is gone", noted: "entry 1: it is missing, and so is all that follows: 5 was noted"},
		"the chain is made anew, but not its end": {tamper: func(tx rows.Tx, _ func(int) []byte) { anew(tx, tenantstest.Scope(t, "acme"), 3) },
			alone: "entry 9: the trail says that it ends with another one", copied: "entry 3: it is not the one that was exported", noted: "entry 5: it is not the one that was noted"},
		"the chain is made anew": {tamper: func(tx rows.Tx, _ func(int) []byte) { anew(tx, tenantstest.Scope(t, "acme"), 3); ended(tx) },
			alone: unseen, copied: "entry 3: it is not the one that was exported", noted: "entry 5: it is not the one that was noted"},
		"the chain is made anew after what was noted": {tamper: func(tx rows.Tx, _ func(int) []byte) { anew(tx, tenantstest.Scope(t, "acme"), 6); ended(tx) },
			alone: unseen, copied: "entry 6: it is not the one that was exported", noted: "entry 9: it is not the one that was noted"},
		"the chain is made anew after what was exported": {tamper: func(tx rows.Tx, _ func(int) []byte) { anew(tx, tenantstest.Scope(t, "acme"), 8); ended(tx) },
			alone: unseen, copied: unseen, noted: "entry 9: it is not the one that was noted"},
		"that it was exported is forged": {tamper: func(tx rows.Tx, _ func(int) []byte) {
			_ = tx.Put("s", []byte(`{"x":{"seq":12,"hash":"`+strings.Repeat("0", 64)+`"}}`))
		},
			alone: "entry 10: it is missing, and so is all that follows: the trail ends with 12", copied: "entry 10", noted: "entry 10"},

		"a segment is edited": {file: func(text, _ string) string { return strings.Replace(text, `"jobs/3"`, `"jobs/4"`, 1) },
			copied: "segment 000000000001-000000000007.ndjson, entry 4: it was changed"},
		"a segment is cut": {file: func(text, _ string) string { return text[:strings.LastIndex(text[:len(text)-1], "\n")+1] }, copied: "entry 7: the segment ends with 6, and its name says 7"},
		"a line of a segment is removed": {file: func(text, _ string) string {
			return strings.Join(slices.Delete(strings.SplitAfter(text, "\n"), 2, 3), "")
		}, copied: "entry 3: it is missing: 4 comes"},
		"lines of a segment are swapped": {file: func(text, _ string) string {
			l := strings.SplitAfter(text, "\n")
			l[1], l[2] = l[2], l[1]
			return strings.Join(l, "")
		}, copied: "entry 2: it is missing: 3 comes"},
		"a segment is empty":              {file: func(string, string) string { return "" }, copied: "the segment ends with 0, and its name says 7"},
		"a segment is another tenant's":   {file: func(_, other string) string { return other }, copied: "entry 1: it is another tenant's"},
		"a segment has another's name":    {name: "000000000002-000000000008.ndjson", copied: "entry 8: the segment ends with 7, and its name says 8"},
		"a segment was never of the rows": {name: "000000000001-000000000007.ndjson", file: func(text, _ string) string { return forged(t, text) }, copied: "the trail, entry 1: it is not the one that was exported"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPostbox(t)
			acme, globex := tenantstest.Scope(t, "acme"), tenantstest.Scope(t, "globex")
			p.happened("globex", 7)
			p.happened("acme", 5)
			heads := []string{"--head", p.headOf("acme")}
			p.happened("acme", 7)
			folder := p.exported("acme")
			var other []rows.Row
			p.trail.Rows(globex, func(tx rows.Tx) { other, _ = tx.Range("e/", "e0", 10) })
			var another string
			for _, r := range other {
				another += string(r.Value) + "\n"
			}
			p.happened("acme", 9)
			heads = append(heads, "--head", p.headOf("acme"))
			if c.tamper != nil {
				p.trail.Rows(acme, func(own rows.Tx) { c.tamper(own, func(i int) []byte { return other[i-1].Value }) })
			}
			file := filepath.Join(folder, "000000000001-000000000007.ndjson")
			if c.file != nil {
				text, err := os.ReadFile(file)
				require.NoError(t, err)
				require.NoError(t, os.WriteFile(file, []byte(c.file(string(text), another)), 0o600))
			}
			if c.name != "" {
				require.NoError(t, os.Rename(file, filepath.Join(folder, c.name)))
			}
			for _, v := range []struct {
				flags []string
				why   string
			}{{nil, c.alone}, {[]string{"--from-dir", folder}, c.copied}, {heads, c.noted}} {
				p.verifies("acme", v.why, v.flags...)
			}
			p.verifies("globex", unseen)
		})
	}
}

// forged is a segment of acme's with the same places that never was: its chain fits in itself.
func forged(t *testing.T, text string) (out string) {
	head := trail.Head{Hash: trail.Genesis("acme")}
	for line := range strings.Lines(text) {
		e, err := trail.Read([]byte(line))
		require.NoError(t, err)
		e.Subject += "-forged"
		e, linked, err := trail.Link(head, e.AuditEntry)
		require.NoError(t, err)
		head, out = trail.Head{Seq: e.Seq, Hash: e.Hash}, out+string(linked)+"\n"
	}
	return out
}

// verifies checks what the command says of a tenant's trail, to people and to programs: why it does not fit, or that it does.
func (p *postbox) verifies(tenant, why string, flags ...string) {
	p.Helper()
	flags = append([]string{"audit", "verify"}, flags...)
	code, out, stderr := p.exits(tenant, flags...)
	jsonCode, text, _ := p.exits(tenant, append(flags, "--json")...)
	var said verified
	require.NoError(p, json.Unmarshal([]byte(text), &said), text)
	assert.Equal(p, code, jsonCode)
	if why == "" {
		assert.Zero(p, code, "%v: %s", flags, stderr)
		assert.Nil(p, said.Broken)
		return
	}
	assert.Equal(p, exitBroken, code, "%v: %s", flags, out)
	assert.Contains(p, stderr, why, "%v", flags)
	if assert.NotNil(p, said.Broken) {
		assert.Contains(p, said.Broken.Error(), why)
	}
}
