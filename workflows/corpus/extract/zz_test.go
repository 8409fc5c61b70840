package extract
import ("testing";"fmt";"strings")
func show(ct, s string) { t, err := Extract(ct, []byte(s)); fmt.Printf("=== %s %q %s %s %v\n%s\n", t.ContentType, t.Title, t.Format, t.Charset, err, t.Body) }
func TestShow(t *testing.T) {
 page := `<!doctype html><html><head><title>Levadas – Wiki</title><style>x</style></head><body><header><a href="/">Home</a></header><nav><ul><li><a href=/a>Menu one</a><li>Menu two</ul></nav>
<div id=content class=article><h1>Levadas</h1><p>The <b>levadas</b> bring water from the <a href="/north">north</a> to the fields, about 2_000 km of them. `+strings.Repeat("They go along the slopes and through tunnels, and a path follows each. ", 8)+`</p><h2>Gates</h2><p>Each farmer has <code>gate_id</code> hours.</p><ul><li>Morning<li>Noon <ul><li>Late noon</ul></ul><table><thead><tr><th>Gate<th>Hours</thead><tr><td>A|B<td>3<tr><td>C<td>4</table><pre><code class="language-go">func main() {
	open()
}
</code></pre><p>Snake_case and *stars* and # hash. 1. No list</p><p># not a heading</p><img src=x alt="A gate"><ol><li>one<li>two</ol></div><footer>Imprint</footer><script>alert(1)</script></body></html>`
 show("text/html", page)
 fl := readPage([]byte(page)); fmt.Printf("--- flat %q\n%s\n", fl.Title, fl.Body)
 show("text/html", "<p>Short &amp; sweet<p>two")
 show("application/json", `{"a":{"b":[1,2,{"c":"x\n\ny"}]},"items":[{"n":"Ada","tags":["x","y"]},{"n":"Bob","sub":[{"q":1}],"z":null}],"t":true}`)
 show("application/x-ndjson", "{\"a\":1}\n{\"a\":2,\"b\":{\"c\":\"d\"}}\n")
 show("application/json", `{"a":`)
 show("text/csv", "name;city;note\nAda;Funchal;\"a\n\nb; c\"\nBob;;x\n")
 show("text/csv", "1,2,3\n4,5,6\n")
 show("application/octet-stream", "\x00\x01\x02")
 show("text/plain", "caf\xe9 \xe0 la plage, l'\xe9t\xe9")
 show("text/html", strings.Repeat("<div>", 2000)+"deep")
}
