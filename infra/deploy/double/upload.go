package double

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
)

// part is one part of a multipart body.
type part struct {
	name, file, contentType string
	body                    []byte
}

// Module is one file of a Worker. What is in it is not kept.
type Module struct {
	Name   string `json:"name"`
	Type   string `json:"type"`
	Size   int    `json:"size"`
	SHA256 string `json:"sha256"`
}

func (p part) module() Module {
	sum := sha256.Sum256(p.body)
	name := p.file
	if name == "" {
		name = p.name
	}
	return Module{Name: name, Type: p.contentType, Size: len(p.body), SHA256: hex.EncodeToString(sum[:])}
}

// readParts takes a multipart body apart. The standard library cuts the folder off a file's name, which is a module's.
func readParts(contentType string, body []byte) ([]part, error) {
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil || params["boundary"] == "" {
		return nil, refuse(http.StatusBadRequest, codeInvalid, "The Content-Type %q has no boundary.", contentType)
	}
	parts := []part{}
	for in := multipart.NewReader(bytes.NewReader(body), params["boundary"]); ; {
		p, err := in.NextRawPart()
		if errors.Is(err, io.EOF) {
			return parts, nil
		}
		if err != nil {
			return nil, refuse(http.StatusBadRequest, codeInvalid, "The multipart body cannot be read: %v", err)
		}
		text, err := io.ReadAll(p)
		if err != nil {
			return nil, refuse(http.StatusBadRequest, codeInvalid, "The multipart body cannot be read: %v", err)
		}
		_, disposition, err := mime.ParseMediaType(p.Header.Get("Content-Disposition"))
		if err != nil {
			return nil, refuse(http.StatusBadRequest, codeInvalid, "A part's Content-Disposition cannot be read: %v", err)
		}
		parts = append(parts, part{disposition["name"], disposition["filename"], p.Header.Get("Content-Type"), text})
	}
}

// metadata is the part of an upload that says what its modules are.
type metadata struct {
	Annotations         map[string]string `json:"annotations"`
	Assets              *assetsMetadata   `json:"assets"`
	Bindings            []binding         `json:"bindings"`
	CacheOptions        json.RawMessage   `json:"cache_options"`
	CodeUpdateStrategy  *updateStrategy   `json:"code_update_strategy"`
	KeepAssets          bool              `json:"keep_assets"`
	KeepBindings        []string          `json:"keep_bindings"`
	Logpush             *bool             `json:"logpush"`
	MainModule          string            `json:"main_module"`
	Migrations          *migrations       `json:"migrations"`
	Observability       *Observability    `json:"observability"`
	PackageDependencies json.RawMessage   `json:"package_dependencies"`
	Tags                []string          `json:"tags"`
	TailConsumers       []Tail            `json:"tail_consumers"`
	runtime
}

// updateStrategy is how running objects get new code.
type updateStrategy struct {
	Mode     string `json:"mode"`
	MaxDelay int    `json:"max_delay"`
}

// moduleTypes are the content types that a module may have, and whether it may be the main one.
var moduleTypes = map[string]bool{
	"application/javascript+module": true, "text/javascript+module": true, "text/x-python": true,
	"application/javascript": false, "text/javascript": false, "text/x-python-requirement": false,
	"application/wasm": false, "text/plain": false, "text/html": false, "application/octet-stream": false, "application/json": false,
	"application/source-map": false,
}

const (
	maxGzip         = 10 << 20 // the compressed modules of a Worker, https://developers.cloudflare.com/workers/platform/limits/
	maxUncompressed = 64 << 20
)

// upload reads the upload of a Worker or of a version: its metadata and its modules.
func (c *call) upload() (metadata, []Module, error) {
	var m metadata
	if c.parts == nil {
		return m, nil, refuse(http.StatusBadRequest, codeInvalid, "A Worker is uploaded as multipart/form-data, not as %q.", c.Header.Get("Content-Type"))
	}
	var modules []Module
	described := false
	for _, p := range c.parts {
		if p.name != "metadata" {
			modules = append(modules, p.module())
			continue
		}
		if described {
			return m, nil, refuse(http.StatusBadRequest, codeInvalid, "There are two parts metadata.")
		}
		described = true
		if err := strictly(p.body, &m); err != nil {
			return m, nil, refuse(http.StatusBadRequest, codeInvalid, "Could not parse the metadata part: %v", err)
		}
	}
	if !described {
		return m, nil, refuse(http.StatusBadRequest, codeInvalid, "There is no part metadata.")
	}
	if err := checkModules(m.MainModule, modules); err != nil {
		return m, nil, err
	}
	return m, modules, c.checkSize()
}

func checkModules(main string, modules []Module) error {
	found := false
	for i, m := range modules {
		mayBeMain, known := moduleTypes[m.Type]
		switch {
		case m.Name == "":
			return refuse(http.StatusBadRequest, codeInvalid, "A module has no name.")
		case !known:
			return refuse(http.StatusBadRequest, codeInvalid, "The module %q has the Content-Type %q, which is none of a module.", m.Name, m.Type)
		case slices.ContainsFunc(modules[:i], func(o Module) bool { return o.Name == m.Name }):
			return refuse(http.StatusBadRequest, codeInvalid, "There are two modules %q.", m.Name)
		case m.Name == main && !mayBeMain:
			return refuse(http.StatusBadRequest, codeInvalid, "The main module %q is no ES module but %s.", m.Name, m.Type)
		}
		found = found || m.Name == main
	}
	if main == "" || !found {
		return refuse(http.StatusBadRequest, codeInvalid, "No such module %q: main_module has to name one of the parts.", main)
	}
	return nil
}

// checkSize compresses only what could be too large.
func (c *call) checkSize() error {
	total := 0
	for _, p := range c.parts {
		if p.contentType != "application/source-map" && p.name != "metadata" {
			total += len(p.body)
		}
	}
	if total > maxUncompressed {
		return refuse(http.StatusRequestEntityTooLarge, 10027, "Your Worker exceeded the size limit of %d MiB.", maxUncompressed>>20)
	}
	if total <= maxGzip {
		return nil
	}
	var size counter
	w, _ := gzip.NewWriterLevel(&size, gzip.BestSpeed)
	for _, p := range c.parts {
		if p.contentType != "application/source-map" && p.name != "metadata" {
			_, _ = w.Write(p.body)
		}
	}
	_ = w.Close()
	if size > maxGzip {
		return refuse(http.StatusRequestEntityTooLarge, 10027, "Your Worker exceeded the size limit of %d MiB (compressed).", maxGzip>>20)
	}
	return nil
}

type counter int

func (c *counter) Write(b []byte) (int, error) { *c += counter(len(b)); return len(b), nil }

// etag is what stands for the modules: the same for the same.
func etag(modules []Module) string {
	all := slices.Clone(modules)
	slices.SortFunc(all, func(a, b Module) int { return strings.Compare(a.Name, b.Name) })
	h := sha256.New()
	for _, m := range all {
		_, _ = io.WriteString(h, m.Name+"\x00"+m.Type+"\x00"+m.SHA256+"\n")
	}
	return hex.EncodeToString(h.Sum(nil))
}

// putScript uploads a Worker whole: a version that is deployed at once, and the only way for a migration. An upload that is refused changes
// nothing.
func putScript(c *call) (any, error) {
	name := c.PathValue("script")
	if !scriptName.MatchString(name) {
		return nil, refuse(http.StatusBadRequest, 10016, "The name %q is not valid: lower-case letters, digits, _ and -, up to 63.", name)
	}
	m, modules, err := c.upload()
	if err != nil {
		return nil, err
	}
	s := c.account.scripts[name]
	if s == nil {
		s = &script{name: name, classes: map[string]class{}, settings: Settings{Tags: []string{}, Observability: &Observability{}}}
	}
	draft := *s
	if draft.classes, draft.migration, err = c.account.migrate(s, m.Migrations); err != nil {
		return nil, err
	}
	if draft.settings, err = c.account.settingsOf(s.settings, m); err != nil {
		return nil, err
	}
	v, err := c.newVersion(&draft, m, modules)
	if err != nil {
		return nil, err
	}
	if draft.tag == "" {
		draft.tag, draft.created = c.api.id(32), v.created
	}
	draft.add(v)
	draft.deploy(c.api, []share{{VersionID: v.id, Percentage: 100}}, nil)
	*s = draft
	c.account.scripts[name] = s
	view := s.view()
	view["startup_time_ms"], view["entry_point"], view["deployment_id"] = startup, m.MainModule, strings.ReplaceAll(v.id, "-", "")
	return view, nil
}

// settingsOf are the settings after an upload: those that it names are set.
func (a *Account) settingsOf(s Settings, m metadata) (Settings, error) {
	if m.Logpush != nil {
		s.Logpush = *m.Logpush
	}
	if m.Observability != nil {
		s.Observability = m.Observability
	}
	if m.Tags != nil {
		s.Tags = m.Tags
	}
	if m.TailConsumers != nil {
		s.TailConsumers = m.TailConsumers
	}
	return s, s.check(a)
}
