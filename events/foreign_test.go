package events_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/eventstest"
	"levada.dev/events/fault"
)

// event is a CloudEvent with the required attributes and whatever else a case is about.
func event(members string) string {
	if members != "" {
		members = "," + members
	}
	return `{"specversion":"1.0","id":"1","source":"/s","type":"t"` + members + `}`
}

// with is event with one of the required attributes replaced.
func with(name, value string) string {
	m := map[string]string{"specversion": `"1.0"`, "id": `"1"`, "source": `"/s"`, "type": `"t"`}
	m[name] = value
	return fmt.Sprintf(`{"specversion":%s,"id":%s,"source":%s,"type":%s}`, m["specversion"], m["id"], m["source"], m["type"])
}

func without(name string) string {
	m := map[string]any{"specversion": "1.0", "id": "1", "source": "/s", "type": "t"}
	delete(m, name)
	b, _ := json.Marshal(m)
	return string(b)
}

// validEvents is what the specification allows, the unusual included.
var validEvents = map[string]string{
	"minimal":                    event(``),
	"white space":                " \t\r\n{ \"specversion\" :\n\"1.0\" , \"id\":\"1\",\"source\":\"/s\",\"type\":\"t\" }\n",
	"escaped member name":        `{"specversion":"1.0","\u0069d":"1","source":"/s","type":"t"}`,
	"any order":                  `{"data":{"a":1},"time":"2018-04-05T17:31:00Z","type":"t","source":"/s","id":"1","specversion":"1.0"}`,
	"data before its type":       `{"data":"<a/>","datacontenttype":"application/xml","type":"t","source":"/s","id":"1","specversion":"1.0"}`,
	"null means unset":           event(`"subject":null,"time":null,"dataschema":null,"datacontenttype":null,"ext":null`),
	"null data_base64":           event(`"data_base64":null,"data":1`),
	"data null":                  event(`"data":null`),
	"data number":                event(`"data":-1.5e+10`),
	"data array":                 event(`"data":[[],{},"",true,false,null]`),
	"data with a lone surrogate": event(`"data":"\ud800"`),
	"data with the same twice":   event(`"data":{"a":1,"a":2}`),
	"data of +json":              event(`"datacontenttype":"application/vnd.x+json; charset=utf-8","data":{"a":1}`),
	"data of text/json":          event(`"datacontenttype":"text/json","data":{"a":1}`),
	"data of capital JSON":       event(`"datacontenttype":"Application/JSON","data":[]`),
	"data text":                  event(`"datacontenttype":"text/plain","data":"a\nb\u0000"`),
	"base64":                     event(`"data_base64":"AAEC/w=="`),
	"base64 empty":               event(`"data_base64":""`),
	"base64 escaped":             event(`"data_base64":"\u0041AEC"`),
	"source absolute":            with("source", `"https://user@example.com:8080/a/b?c=d#e"`),
	"source urn":                 with("source", `"urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66"`),
	"source network path":        with("source", `"//github.com/cloudevents"`),
	"source fragment":            with("source", `"#a"`),
	"source query":               with("source", `"?a=b"`),
	"source mailto":              with("source", `"mailto:cncf-wg-serverless@lists.cncf.io"`),
	"source of one word":         with("source", `"1-555-123-4567"`),
	"source IPv6":                with("source", `"http://[2001:db8::1]:80/a"`),
	"source percent":             with("source", `"/a%20b/%C3%A4"`),
	"source dots":                with("source", `"../a/./b"`),
	"id of any characters":       with("id", `"ä \ud83d\ude00 \"\\/ \u00a0"`),
	"type with spaces":           with("type", `"a b"`),
	"time with fraction":         event(`"time":"2018-04-05T17:31:00.123456789Z"`),
	"time with offset":           event(`"time":"2018-04-05T17:31:00-23:59"`),
	"time in small letters":      event(`"time":"2018-04-05t17:31:00z"`),
	"time in a leap second":      event(`"time":"1990-12-31T23:59:60Z"`),
	"time in a leap year":        event(`"time":"2024-02-29T00:00:00Z"`),
	"dataschema":                 event(`"dataschema":"https://example.com/s.json#/defs/a"`),
	"dataschema urn":             event(`"dataschema":"urn:x:y"`),
	"media type with parameter":  event(`"datacontenttype":"multipart/mixed; boundary=\"a b\"","data":""`),
	"extensions":                 event(`"a":"","b":true,"c":false,"d":-2147483648,"e":2147483647,"f":0,"abc123":"x"`),
	"extension of digits":        event(`"123":"x"`),
	"long extension name":        event(`"averyveryverylongextensionname":"x"`),
	"extension like an old one":  event(`"schemaurl":"x","datacontentencoding":"base64"`),
	"a noncharacter's neighbour": event(`"a":"\ufdcf\ufdf0\ufffd"`),
	"depth":                      event(`"data":` + strings.Repeat("[", 120) + strings.Repeat("]", 120)),
	"delete inside data":         event(`"data":"\u007f` + "\u0085" + `"`),
}

// invalidEvents is what it forbids, and the attribute at fault.
var invalidEvents = map[string]struct{ field, text string }{
	"empty":                      {"", ``},
	"white space only":           {"", ` `},
	"null":                       {"", `null`},
	"array":                      {"", `[` + event(``) + `]`},
	"string":                     {"", `"x"`},
	"number":                     {"", `1`},
	"byte order mark":            {"", "\ufeff" + event(``)},
	"not UTF-8":                  {"", strings.Replace(event(``), "1\"", "\xff\"", 1)},
	"UTF-8 surrogate":            {"", with("id", "\"\xed\xa0\x80\"")},
	"trailing text":              {"", event(``) + `x`},
	"trailing object":            {"", event(``) + event(``)},
	"trailing NUL":               {"", event(``) + "\x00"},
	"cut off":                    {"", event(``)[:20]},
	"cut off before the brace":   {"", strings.TrimSuffix(event(``), "}")},
	"trailing comma":             {"", `{"specversion":"1.0","id":"1","source":"/s","type":"t",}`},
	"missing comma":              {"", `{"specversion":"1.0" "id":"1"}`},
	"missing colon":              {"specversion", `{"specversion" "1.0"}`},
	"single quotes":              {"", `{'specversion':'1.0'}`},
	"comment":                    {"", `{/**/"specversion":"1.0"}`},
	"bare name":                  {"", `{specversion:"1.0"}`},
	"control character in text":  {"id", with("id", "\"a\nb\"")},
	"bad escape":                 {"id", with("id", `"\x"`)},
	"short escape":               {"id", with("id", `"\u12"`)},
	"signed escape":              {"id", with("id", `"\u+123"`)},
	"leading zero":               {"", event(`"data":01`)},
	"leading plus":               {"data", event(`"data":+1`)},
	"no fraction":                {"data", event(`"data":1.`)},
	"no exponent":                {"data", event(`"data":1e`)},
	"lone minus":                 {"data", event(`"data":-`)},
	"NaN":                        {"data", event(`"data":NaN`)},
	"data cut word":              {"data", event(`"data":tru`)},
	"data wrong bracket":         {"data", event(`"data":[1}`)},
	"data array comma":           {"data", event(`"data":[1,]`)},
	"data object comma":          {"data", event(`"data":{"a":1,}`)},
	"data nameless":              {"data", event(`"data":{1:2}`)},
	"too deep":                   {"data", event(`"data":` + strings.Repeat("[", 200) + strings.Repeat("]", 200))},
	"much too deep":              {"data", event(`"data":` + strings.Repeat(`{"a":`, 100_000))},
	"too big":                    {"", event(`"data":"` + strings.Repeat("x", events.MaxBytes) + `"`)},
	"long attribute":             {"a", event(`"a":"` + strings.Repeat("x", 10_000) + `"`)},
	"many attributes":            {"x60", event(many(80))},
	"no specversion":             {"specversion", without("specversion")},
	"no id":                      {"id", without("id")},
	"no source":                  {"source", without("source")},
	"no type":                    {"type", without("type")},
	"empty object":               {"specversion", `{}`},
	"empty specversion":          {"specversion", with("specversion", `""`)},
	"empty id":                   {"id", with("id", `""`)},
	"blank id":                   {"id", with("id", `" "`)},
	"empty source":               {"source", with("source", `""`)},
	"empty type":                 {"type", with("type", `""`)},
	"empty subject":              {"subject", event(`"subject":""`)},
	"empty time":                 {"time", event(`"time":""`)},
	"empty dataschema":           {"dataschema", event(`"dataschema":""`)},
	"empty datacontenttype":      {"datacontenttype", event(`"datacontenttype":""`)},
	"null id":                    {"id", with("id", `null`)},
	"null specversion":           {"specversion", with("specversion", `null`)},
	"specversion 0.3":            {"specversion", with("specversion", `"0.3"`)},
	"specversion 1":              {"specversion", with("specversion", `"1"`)},
	"specversion 1.0.2":          {"specversion", with("specversion", `"1.0.2"`)},
	"specversion number":         {"specversion", with("specversion", `1.0`)},
	"id number":                  {"id", with("id", `1`)},
	"id object":                  {"id", with("id", `{}`)},
	"type boolean":               {"type", with("type", `true`)},
	"source array":               {"source", with("source", `["/s"]`)},
	"subject number":             {"subject", event(`"subject":5`)},
	"time number":                {"time", event(`"time":1522949460`)},
	"id twice":                   {"id", event(`"id":"1"`)},
	"id twice, once escaped":     {"id", event(`"\u0069d":"2"`)},
	"extension twice":            {"a", event(`"a":"1","a":"1"`)},
	"null twice":                 {"a", event(`"a":null,"a":null`)},
	"data twice":                 {"data", event(`"data":1,"data":1`)},
	"capital name":               {"Subject", event(`"Subject":"x"`)},
	"camel case name":            {"tenantId", event(`"tenantId":"x"`)},
	"underscore name":            {"tenant_id", event(`"tenant_id":"x"`)},
	"hyphen name":                {"x-y", event(`"x-y":"x"`)},
	"dollar name":                {"$schema", event(`"$schema":"x"`)},
	"umlaut name":                {"ä", event(`"ä":"x"`)},
	"empty name":                 {"", event(`"":"x"`)},
	"bad name that is null":      {"x_y", event(`"x_y":null`)},
	"surrogate in a name":        {"", event(`"\ud800":"x"`)},
	"extension object":           {"a", event(`"a":{}`)},
	"extension array":            {"a", event(`"a":[1]`)},
	"extension fraction":         {"a", event(`"a":1.5`)},
	"extension whole fraction":   {"a", event(`"a":1.0`)},
	"extension exponent":         {"a", event(`"a":1e3`)},
	"extension above 32 bits":    {"a", event(`"a":2147483648`)},
	"extension below 32 bits":    {"a", event(`"a":-2147483649`)},
	"extension huge":             {"a", event(`"a":99999999999999999999999`)},
	"control in id":              {"id", with("id", `"a\u0000"`)},
	"newline in type":            {"type", with("type", `"a\nb"`)},
	"delete in subject":          {"subject", event(`"subject":"a\u007f"`)},
	"C1 control in subject":      {"subject", event(`"subject":"a\u0085"`)},
	"control in an extension":    {"a", event(`"a":"\u001f"`)},
	"noncharacter":               {"a", event(`"a":"\uffff"`)},
	"noncharacter U+FDD0":        {"a", event(`"a":"\ufdd0"`)},
	"noncharacter U+1FFFE":       {"a", event(`"a":"\ud83f\udffe"`)},
	"lone high surrogate":        {"id", with("id", `"a\ud800"`)},
	"lone low surrogate":         {"id", with("id", `"\udc00a"`)},
	"high before text":           {"id", with("id", `"\ud800abcdef"`)},
	"surrogates swapped":         {"id", with("id", `"\udc00\ud800"`)},
	"surrogate in an extension":  {"a", event(`"a":"\ud83d"`)},
	"source with a space":        {"source", with("source", `"/a b"`)},
	"source with a quote":        {"source", with("source", `"/a\"b"`)},
	"source with an umlaut":      {"source", with("source", `"/ä"`)},
	"source with a brace":        {"source", with("source", `"/{a}"`)},
	"source with a backslash":    {"source", with("source", `"\\a"`)},
	"source bad percent":         {"source", with("source", `"/a%2"`)},
	"source bad percent digits":  {"source", with("source", `"/%zz"`)},
	"source bad scheme":          {"source", with("source", `"1a:b"`)},
	"source bad port":            {"source", with("source", `"http://a:b/"`)},
	"source bracket":             {"source", with("source", `"/a[0]"`)},
	"source open bracket":        {"source", with("source", `"http://[::1/"`)},
	"source two fragments":       {"source", with("source", `"/a#b#c"`)},
	"time without T":             {"time", event(`"time":"2018-04-05 17:31:00Z"`)},
	"time without zone":          {"time", event(`"time":"2018-04-05T17:31:00"`)},
	"time without seconds":       {"time", event(`"time":"2018-04-05T17:31Z"`)},
	"time date only":             {"time", event(`"time":"2018-04-05"`)},
	"time with a comma":          {"time", event(`"time":"2018-04-05T17:31:00,5Z"`)},
	"time of one digit":          {"time", event(`"time":"2018-04-05T7:31:00.00Z"`)},
	"time 25 o'clock":            {"time", event(`"time":"2018-04-05T25:31:00Z"`)},
	"time 30 February":           {"time", event(`"time":"2018-02-30T17:31:00Z"`)},
	"time 29 February":           {"time", event(`"time":"2023-02-29T17:31:00Z"`)},
	"time offset of a day":       {"time", event(`"time":"2018-04-05T17:31:00+24:00"`)},
	"time offset of a minute":    {"time", event(`"time":"2018-04-05T17:31:00+2:00"`)},
	"time offset 60 minutes":     {"time", event(`"time":"2018-04-05T17:31:00+02:60"`)},
	"time without fraction":      {"time", event(`"time":"2018-04-05T17:31:00.Z"`)},
	"time with two zones":        {"time", event(`"time":"2018-04-05T17:31:00ZZ"`)},
	"time RFC 1123":              {"time", event(`"time":"Thu, 05 Apr 2018 17:31:00 GMT"`)},
	"time second 61":             {"time", event(`"time":"2018-04-05T17:31:61Z"`)},
	"dataschema relative":        {"dataschema", event(`"dataschema":"/schema.json"`)},
	"dataschema with a space":    {"dataschema", event(`"dataschema":"https://a/b c"`)},
	"media type without slash":   {"datacontenttype", event(`"datacontenttype":"json"`)},
	"media type without subtype": {"datacontenttype", event(`"datacontenttype":"application/"`)},
	"media type without type":    {"datacontenttype", event(`"datacontenttype":"/json"`)},
	"media type bad parameter":   {"datacontenttype", event(`"datacontenttype":"text/plain; charset"`)},
	"media type with a space":    {"datacontenttype", event(`"datacontenttype":"text / plain"`)},
	"data and base64":            {"data_base64", event(`"data":1,"data_base64":"AAAA"`)},
	"data null and base64":       {"data_base64", event(`"data":null,"data_base64":"AAAA"`)},
	"base64 number":              {"data_base64", event(`"data_base64":5`)},
	"base64 number at the start": {"data_base64", `{"data_base64":5,"specversion":"1.0","id":"1","source":"/s","type":"t"}`},
	"base64 object":              {"data_base64", event(`"data_base64":{}`)},
	"base64 without padding":     {"data_base64", event(`"data_base64":"AA"`)},
	"base64 of URLs":             {"data_base64", event(`"data_base64":"__-_"`)},
	"base64 with a newline":      {"data_base64", event(`"data_base64":"AA\nAA"`)},
	"base64 with spaces":         {"data_base64", event(`"data_base64":"AA AA"`)},
	"base64 of nonsense":         {"data_base64", event(`"data_base64":"!"`)},
	"base64 surrogate":           {"data_base64", event(`"data_base64":"\ud800"`)},
	"object for text/plain":      {"data", event(`"datacontenttype":"text/plain","data":{"a":1}`)},
	"number for XML":             {"data", event(`"datacontenttype":"application/xml","data":1`)},
	"surrogate in text data":     {"data", event(`"datacontenttype":"text/plain","data":"\ud800"`)},
}

func many(n int) string {
	var members []string
	for i := range n {
		members = append(members, fmt.Sprintf(`"x%d":""`, i))
	}
	return strings.Join(members, ",")
}

func TestDecodeForeignAccepts(t *testing.T) {
	for name, text := range validEvents {
		t.Run(name, func(t *testing.T) {
			e, err := events.DecodeForeign([]byte(text))
			require.NoError(t, err, text)
			require.NoError(t, e.Validate())
		})
	}
}

func TestDecodeForeignRefuses(t *testing.T) {
	for name, c := range invalidEvents {
		t.Run(name, func(t *testing.T) {
			_, err := events.DecodeForeign([]byte(c.text))
			require.Error(t, err, "%.200s", c.text)
			f := fault.As(err)
			assert.Equal(t, fault.Invalid, f.Kind)
			assert.Equal(t, "event_invalid", f.Code)
			assert.Equal(t, c.field, f.Field, err)

			_, err = events.Decode([]byte(c.text))
			require.True(t, fault.Is(err, fault.Invalid), "our own decoder takes what no CloudEvent is")
		})
	}
}

func TestDecodeForeignReadsEverything(t *testing.T) {
	e, err := events.DecodeForeign([]byte(event(`"subject":"\u00e4","time":"2018-04-05T19:31:00+02:00","dataschema":"https://x/y",` +
		`"datacontenttype":"text/plain","data":"a\nb","flag":true,"count":-7,"text":"\"q\""`)))
	require.NoError(t, err)
	assert.Equal(t, "ä", e.Subject())
	assert.Equal(t, "2018-04-05T17:31:00Z", e.Time().Format("2006-01-02T15:04:05Z07:00"))
	assert.Equal(t, "https://x/y", e.DataSchema())
	assert.Equal(t, "a\nb", string(e.Data()))
	assert.Equal(t, map[string]any{"flag": true, "count": int32(-7), "text": `"q"`}, e.Extensions())

	e, err = events.DecodeForeign([]byte(event(`"data_base64":"AAEC/w=="`)))
	require.NoError(t, err)
	assert.Equal(t, []byte{0, 1, 2, 255}, e.Data())
	assert.True(t, e.DataBase64)

	e, err = events.DecodeForeign([]byte(event(`"data": {"a": [1, 2]} `)))
	require.NoError(t, err)
	assert.Equal(t, `{"a": [1, 2]}`, string(e.Data()), "data is not touched")
}

// TestSharedCases runs the cases of the conformance corpus where a file of them is given.
func TestSharedCases(t *testing.T) {
	eventstest.SharedCases(t, func(c eventstest.Case) bool {
		var texts []json.RawMessage
		switch c.Mode {
		case "structured":
			texts = []json.RawMessage{c.Body}
		case "batch":
			require.NoError(t, json.NewDecoder(bytes.NewReader(c.Body)).Decode(&texts))
		default:
			return false
		}
		var failed error
		for _, text := range texts {
			if _, err := events.DecodeForeign(text); err != nil {
				failed = err
			}
		}
		switch c.Expect {
		case "accept":
			assert.NoError(t, failed, c.ID)
		case "reject":
			assert.Error(t, failed, c.ID)
		}
		return true
	})
}

func FuzzDecodeForeign(f *testing.F) {
	for _, text := range validEvents {
		f.Add([]byte(text))
	}
	for _, c := range invalidEvents {
		if len(c.text) < 1000 {
			f.Add([]byte(c.text))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := events.DecodeForeign(b)
		if err != nil {
			require.Equal(t, "event_invalid", fault.As(err).Code)
			return
		}
		require.True(t, json.Valid(b), "accepted what encoding/json refuses")
		require.NoError(t, e.Validate())
		again, err := e.MarshalJSON()
		require.NoError(t, err)
		_, err = events.DecodeForeign(again)
		require.NoError(t, err, "%s", again)
	})
}
