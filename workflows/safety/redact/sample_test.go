package redact_test

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"sort"
	"testing"

	"github.com/stretchr/testify/require"

	"levada.dev/workflows/safety/redact"
)

// sample is a sentence with its marked personal data, as the sets of LEVADA_PII have them.
type sample struct {
	Text  string
	Spans []struct {
		Type, Value string
		Start, End  int
	}
}

// samples reads the sets, when there are some.
func samples(t *testing.T) (all []sample) {
	folder := os.Getenv("LEVADA_PII")
	if folder == "" {
		t.Skip("LEVADA_PII names no folder with *.jsonl of marked sentences")
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.jsonl"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, name := range files {
		f, err := os.Open(name)
		require.NoError(t, err)
		for lines := bufio.NewScanner(f); lines.Scan(); {
			var s sample
			require.NoError(t, json.Unmarshal(lines.Bytes(), &s))
			all = append(all, s)
		}
		require.NoError(t, f.Close())
	}
	return all
}

// meant is the kind of ours for each of theirs that we look for.
var meant = map[string]redact.Kind{
	"EMAIL_ADDRESS": redact.Email, "PHONE_NUMBER": redact.Phone, "CREDIT_CARD": redact.Card, "IBAN_CODE": redact.IBAN, "IP_ADDRESS": redact.IP,
	"US_SSN": redact.NationalID, "MAC_ADDRESS": redact.MAC,
}

// TestSample measures: of what is marked how much is found, and of what is found how much is marked. The table is that of docs/safety.md.
func TestSample(t *testing.T) {
	marked, hit := map[string]int{}, map[string]int{}
	found, right := map[redact.Kind]int{}, map[redact.Kind]int{}
	for _, s := range samples(t) {
		text, all := []rune(s.Text), redact.Find(s.Text)
		for _, span := range s.Spans {
			marked[span.Type]++
			for _, f := range all {
				start, end := len([]rune(s.Text[:f.Start])), len([]rune(s.Text[:f.End]))
				if start <= span.Start && span.End <= end {
					hit[span.Type]++
					break
				}
			}
		}
		for _, f := range all {
			found[f.Kind]++
			start, end := len([]rune(s.Text[:f.Start])), len([]rune(s.Text[:f.End]))
			ok := false
			for _, span := range s.Spans {
				ok = ok || meant[span.Type] == f.Kind && start < span.End && span.Start < end
			}
			if ok {
				right[f.Kind]++
			} else {
				t.Logf("taken for %s: %q in %q", f.Kind, string(text[start:end]), s.Text)
			}
		}
		for _, span := range s.Spans {
			if meant[span.Type] != "" && testing.Verbose() {
				ok := false
				for _, f := range all {
					ok = ok || len([]rune(s.Text[:f.Start])) <= span.Start && span.End <= len([]rune(s.Text[:f.End]))
				}
				if !ok {
					t.Logf("not found: %s %q in %q", span.Type, span.Value, s.Text)
				}
			}
		}
	}
	types := make([]string, 0, len(marked))
	for k := range marked {
		types = append(types, k)
	}
	sort.Strings(types)
	for _, k := range types {
		t.Logf("%-16s %3d of %3d found", k, hit[k], marked[k])
	}
	for k, n := range found {
		t.Logf("%-16s %3d of %3d right", k, right[k], n)
	}
}
