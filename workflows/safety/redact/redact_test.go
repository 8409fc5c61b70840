package redact_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"levada.dev/workflows/safety/redact"
)

// cases are texts, and what is to become of them. Numbers are made up; those with check digits check.
var cases = []struct{ text, want string }{
	{"", ""},
	{"nothing here, 42 times in 2026", "nothing here, 42 times in 2026"},

	{"write to ada.l+x@mail.example.co.uk.", "write to [EMAIL]."},
	{"josé@exämple.de or <b@c.org>", "[EMAIL] or <[EMAIL]>"},
	{"邮箱a@b.com。", "邮箱[EMAIL]。"},
	{"a @home, b@localhost, @user, x@1.2", "a @home, b@localhost, @user, x@1.2"},

	{"call +41 (0)71 526 99 04 now", "call [PHONE] now"},
	{"+1-604-696-5272x565, 001-253-366-9781, (602)272-9781, 905-674-3793.", "[PHONE], [PHONE], [PHONE], [PHONE]."},
	{"Telefon 0221/123456 oder 030 1234567", "Telefon [PHONE] oder [PHONE]"},
	{"0494 92 82 32 und 024 971 50 30", "[PHONE] und [PHONE]"},
	{"My number is unlisted; phone: 467 3395", "My number is unlisted; phone: [PHONE]"},
	{"电话13800138000", "电话13800138000"},
	{"on 2026-11-22 10:30, 22.11.2026, 11/22/2026 at 12:30:45", "on 2026-11-22 10:30, 22.11.2026, 11/22/2026 at 12:30:45"},
	{"1.234.567 people, 3.14159265, 10,000,000 and 1234567", "1.234.567 people, 3.14159265, 10,000,000 and 1234567"},
	{"ISBN 978-3-16-148410-0, 0-306-40615-2", "ISBN 978-3-16-148410-0, 0-306-40615-2"},
	{"pages 100-200 of 12 345 678", "pages 100-200 of 12 345 678"},

	{"card 4111 1111 1111 1111, or 4111-1111-1111-1111, 378282246310005", "card [CARD], or [CARD], [CARD]"},
	{"card 4111 1111 1111 1112, order 1234567890123456", "card 4111 1111 1111 1112, order 1234567890123456"},
	{"IBAN DE89 3704 0044 0532 0130 00 please", "IBAN [IBAN] please"},
	{"GB82WEST12345698765432, DE89370400440532013001", "[IBAN], DE89370400440532013001"},

	{"from 203.0.113.7 and 2001:db8::8a2e:370:7334, 203.0.113.7:443.", "from [IP] and [IP], [IP]:443."},
	{"127.0.0.1, ::1, 256.1.1.1, version 1.2.3.4, std::a::b, 12:30:45", "127.0.0.1, ::1, 256.1.1.1, version 1.2.3.4, std::a::b, 12:30:45"},
	{"00:1A:2b:3c:4d:5e and 00-1a-2b-3c-4d-5e", "[MAC] and [MAC]"},

	{"SSN 219-09-9999, not 000-12-3456", "SSN [NATIONAL_ID], not 000-12-3456"},
	{"QQ123456C is none, AB 12 34 56 C is", "QQ123456C is none, [NATIONAL_ID] is"},
	{"CPF 529.982.247-25, 52998224725, 529.982.247-26", "CPF [NATIONAL_ID], [NATIONAL_ID], 529.982.247-26"},
	{"IdNr 86 095 742 719 und 86095742719", "IdNr [NATIONAL_ID] und [NATIONAL_ID]"},
	{"PESEL 44051401359, NIE X1234567L, X1234567M", "PESEL [NATIONAL_ID], NIE [NATIONAL_ID], X1234567M"},
	{"NIR 2 55 08 14 168 025 38 et RSSMRA85T10A562S", "NIR [NATIONAL_ID] et [NATIONAL_ID]"},

	{"https://ada:s3cret@host.example/x?a=b@c", "https://[CREDENTIALS]@host.example/x?a=b@c"},
	{"key lv_acme_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLM.", "key [SECRET]."},
	{"sk-proj-abcdefghijklmnop1234, AKIAIOSFODNN7EXAMPLE, ghp_0123456789abcdefghij", "[SECRET], [SECRET], [SECRET]"},
	{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "[SECRET]"},
	{"Authorization: Bearer abcdef0123456789ABCDEF", "Authorization: [SECRET]"},
	{"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P", "[SECRET]"},
	{"-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc=\n-----END RSA PRIVATE KEY----- after", "[SECRET] after"},
	{"-----BEGIN PUBLIC KEY-----\nMIIE\n-----END PUBLIC KEY-----", "-----BEGIN PUBLIC KEY-----\nMIIE\n-----END PUBLIC KEY-----"},
	{"the sk-learn-like-interface-of-things, a bearer of good news and tidings", "the sk-learn-like-interface-of-things, a bearer of good news and tidings"},

	{"I was born on 12 April 1985 in Rome", "I was born on [BIRTH_DATE] in Rome"},
	{"DOB: 4/12/85; Geburtsdatum: 12.04.1985; date of birth is April 12th, 1985", "DOB: [BIRTH_DATE]; Geburtsdatum: [BIRTH_DATE]; date of birth is [BIRTH_DATE]"},
	{"born in 1985, the meeting of 12 April 1985", "born in 1985, the meeting of 12 April 1985"},

	{"request 12345678-1234-4123-8123-123456789012 trace 01234567890123456789012345678901", "request 12345678-1234-4123-8123-123456789012 trace 01234567890123456789012345678901"},
}

func TestText(t *testing.T) {
	for _, c := range cases {
		got, kinds := redact.Text(c.text)
		assert.Equal(t, c.want, got)
		assert.Equal(t, c.want != c.text, len(kinds) > 0)
	}
}

// What a stream tells is what is told of the whole, wherever it is cut.
func TestStreamsAreCutAnywhere(t *testing.T) {
	var all strings.Builder
	for _, c := range cases {
		all.WriteString(c.text + "\nAnd then, ")
		for cut := range len(c.text) {
			var s redact.Stream
			got := s.Take(c.text[:cut]) + s.Take(c.text[cut:]) + s.End()
			assert.Equal(t, c.want, got, "cut at %d", cut)
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	want, kinds := redact.Text(all.String())
	for range 200 {
		var s redact.Stream
		var got strings.Builder
		for rest := all.String(); rest != ""; {
			n := min(len(rest), 1+random.IntN(1+random.IntN(40)))
			got.WriteString(s.Take(rest[:n]))
			rest = rest[n:]
		}
		got.WriteString(s.End())
		assert.Equal(t, want, got.String())
		assert.Equal(t, kinds, s.Kinds())
	}
}

// Words are told as soon as the next one begins, in scripts without spaces at once.
func TestStreamsHoldBackLittle(t *testing.T) {
	var s redact.Stream
	assert.Equal(t, "The ", s.Take("The answer"))
	assert.Equal(t, "answer is ", s.Take(" is 42"))
	assert.Equal(t, "42, ", s.Take(", of"))
	assert.Equal(t, "of course.\n", s.Take(" course.\n"))
	assert.Equal(t, "日本語の答え。", s.Take("日本語の答え。"))
	assert.Empty(t, s.End())
}

// A key that never ends is not held for ever, and none of it is told.
func TestEndlessKeys(t *testing.T) {
	for head, end := range map[string]string{"sk-": " after", "-----BEGIN PRIVATE KEY-----\n": "-----END PRIVATE KEY----- after"} {
		var s redact.Stream
		got := s.Take("x " + head)
		for range 200 {
			got += s.Take("A1b2C3d4E5f6G7h8A1b2C3d4E5f6G7h8A1b2C3d4E5f6G7h8")
		}
		got += s.Take(end[:4]) + s.Take(end[4:]) + s.End()
		assert.Equal(t, "x [SECRET] after", got)
	}
	var s redact.Stream
	word := strings.Repeat("word", 3000)
	assert.Equal(t, word, s.Take(word)+s.End())
}

// However a stream is cut, what it tells is what is told of the whole. The second cut is as far from the first as that is from the beginning, so one number
// leads to three pieces.
func FuzzStream(f *testing.F) {
	for _, c := range cases {
		f.Add(c.text, uint16(len(c.text)/2))
	}
	f.Fuzz(func(t *testing.T, text string, at uint16) {
		if len(text) > 2000 {
			return
		}
		want, _ := redact.Text(text)
		cut := min(int(at), len(text))
		again := min(2*cut, len(text))
		for _, pieces := range [][]string{{text[:cut], text[cut:]}, {text[:cut], text[cut:again], text[again:]}} {
			var s redact.Stream
			got := ""
			for _, p := range pieces {
				got += s.Take(p)
			}
			if got += s.End(); got != want {
				t.Fatalf("%q in %q: %q, not %q", text, pieces, got, want)
			}
		}
	})
}

func BenchmarkText(b *testing.B) {
	prose := strings.Repeat("The registry keeps 12 entries of 2026 for each tenant, and answers within a second. ", 13)[:1024]
	b.SetBytes(int64(len(prose)))
	b.ReportAllocs()
	for b.Loop() {
		redact.Text(prose)
	}
}
