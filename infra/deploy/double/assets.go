package double

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strings"
)

// asset is a file that an account has.
type asset struct {
	contentType string
	body        []byte
}

// assetEntry is a file of a manifest.
type assetEntry struct {
	Hash string `json:"hash"`
	Size int    `json:"size"`
}

// assetSession is the upload of a Worker's files. It is known by its token until all are there, and then by another, with which a version
// is made that has them.
type assetSession struct {
	script   string
	manifest map[string]assetEntry
	complete bool
}

// assetsMetadata is what the metadata of an upload says of files.
type assetsMetadata struct {
	JWT    string       `json:"jwt"`
	Config assetsConfig `json:"config"`
}

type assetsConfig struct {
	HTMLHandling     string          `json:"html_handling"`
	NotFoundHandling string          `json:"not_found_handling"`
	RunWorkerFirst   json.RawMessage `json:"run_worker_first"` // a list of rules, or whether always
	Headers          string          `json:"_headers"`
	Redirects        string          `json:"_redirects"`
}

// assetSet is the files of a version.
type assetSet struct {
	files  map[string]asset // by path
	config assetsConfig
	rules  []string
}

func assetRoutes() []route {
	return []route{
		{pattern: "POST /accounts/{account}/workers/scripts/{script}/assets-upload-session", group: groupScripts, handle: postAssetSession},
		{pattern: "POST /accounts/{account}/workers/assets/upload", session: true, handle: postAssets},
	}
}

const (
	maxAssets    = 20_000
	maxAssetSize = 25 << 20
	bucketSize   = 10 // files that are asked for in one upload
)

var assetHash = regexp.MustCompile(`^[0-9a-f]{32}$`)

// postAssetSession says which of the files the account does not have. The Worker need not be there yet.
func postAssetSession(c *call) (any, error) {
	given, err := decode[struct {
		Manifest map[string]assetEntry `json:"manifest"`
	}](c)
	if err != nil {
		return nil, err
	}
	if len(given.Manifest) == 0 || len(given.Manifest) > maxAssets {
		return nil, refuse(http.StatusBadRequest, codeInvalid, "The manifest has %d files, it has to have 1 to %d.", len(given.Manifest), maxAssets)
	}
	for name, e := range given.Manifest {
		if !strings.HasPrefix(name, "/") || !assetHash.MatchString(e.Hash) || e.Size < 0 || e.Size > maxAssetSize {
			return nil, refuse(http.StatusBadRequest, codeInvalid, "The manifest's file %q is not valid: a path from /, a hash of 32 hexadecimal digits, up to %d bytes.", name, maxAssetSize)
		}
	}
	s := &assetSession{script: c.PathValue("script"), manifest: given.Manifest}
	buckets := [][]string{}
	for bucket := range slices.Chunk(c.account.missing(s), bucketSize) {
		buckets = append(buckets, bucket)
	}
	s.complete = len(buckets) == 0
	return map[string]any{"jwt": c.account.keep(s), "buckets": buckets}, nil
}

// missing are the hashes of a session's files that the account does not have.
func (a *Account) missing(s *assetSession) []string {
	wanted := map[string]bool{}
	for _, e := range s.manifest {
		if _, there := a.assets[e.Hash]; !there {
			wanted[e.Hash] = true
		}
	}
	return slices.Sorted(maps.Keys(wanted))
}

// keep makes a token for a session. wrangler reads when it expires.
func (a *Account) keep(s *assetSession) string {
	claims, _ := json.Marshal(map[string]any{"session": a.api.id(32), "exp": epoch.AddDate(10, 0, 0).Unix()})
	token := "e30." + base64.RawURLEncoding.EncodeToString(claims) + ".c2ln"
	a.sessions[token] = s
	return token
}

// postAssets takes files in, as the parts of a form, each by its hash. With the last one comes the token that stands for all.
func postAssets(c *call) (any, error) {
	s := c.account.sessions[c.bearer]
	switch {
	case s.complete:
		return nil, refuse(http.StatusUnauthorized, codeAuth, "The token is that of an upload that is complete.")
	case c.URL.Query().Get("base64") != "true" || c.parts == nil:
		return nil, refuse(http.StatusBadRequest, codeInvalid, "Files are uploaded as multipart/form-data with base64=true.")
	}
	sizes := map[string]int{}
	for _, e := range s.manifest {
		sizes[e.Hash] = e.Size
	}
	files := map[string]asset{}
	for _, p := range c.parts {
		body, err := base64.StdEncoding.DecodeString(string(p.body))
		size, wanted := sizes[p.name]
		if err != nil || !wanted || len(body) != size || p.contentType == "" {
			return nil, refuse(http.StatusBadRequest, codeInvalid, "The part %q is none of the manifest's files: base64 of as many bytes as it says, with a Content-Type.", p.name)
		}
		files[p.name] = asset{strings.Replace(p.contentType, "application/null", "", 1), body}
	}
	maps.Copy(c.account.assets, files)
	if len(c.account.missing(s)) > 0 {
		return done{http.StatusAccepted, map[string]any{"jwt": nil}}, nil
	}
	return done{http.StatusCreated, map[string]any{"jwt": c.account.keep(&assetSession{s.script, s.manifest, true})}}, nil
}

// assetsOf are the files of a version that is uploaded: those that the token stands for, or, if they are to be kept, those of the one before.
func (a *Account) assetsOf(s *script, m metadata) (*assetSet, error) {
	if m.Assets == nil {
		if m.KeepAssets && len(s.versions) > 0 {
			return s.latest().assets, nil
		}
		return nil, nil
	}
	session := a.sessions[m.Assets.JWT]
	if session == nil || !session.complete || session.script != s.name {
		return nil, refuse(http.StatusBadRequest, codeInvalid, "assets.jwt is no token of a complete upload for this Worker.")
	}
	set := &assetSet{files: map[string]asset{}, config: m.Assets.Config}
	if err := set.check(); err != nil {
		return nil, err
	}
	for name, e := range session.manifest {
		set.files[name] = a.assets[e.Hash]
	}
	return set, nil
}

func (s *assetSet) check() error {
	if !slices.Contains([]string{"", "auto-trailing-slash", "force-trailing-slash", "drop-trailing-slash", "none"}, s.config.HTMLHandling) {
		return refuse(http.StatusBadRequest, codeInvalid, "assets.config.html_handling %q is not valid.", s.config.HTMLHandling)
	}
	if !slices.Contains([]string{"", "none", "404-page", "single-page-application"}, s.config.NotFoundHandling) {
		return refuse(http.StatusBadRequest, codeInvalid, "assets.config.not_found_handling %q is not valid.", s.config.NotFoundHandling)
	}
	var always bool
	if s.config.RunWorkerFirst == nil || json.Unmarshal(s.config.RunWorkerFirst, &always) == nil {
		return nil
	}
	if json.Unmarshal(s.config.RunWorkerFirst, &s.rules) != nil || len(s.rules) > 100 {
		return refuse(http.StatusBadRequest, codeInvalid, "assets.config.run_worker_first is true, false or up to 100 rules.")
	}
	positive := false
	for _, r := range s.rules {
		bare := strings.TrimPrefix(r, "!")
		positive = positive || bare == r
		if !strings.HasPrefix(bare, "/") || len(bare) > 100 {
			return refuse(http.StatusBadRequest, codeInvalid, "The rule %q of assets.config.run_worker_first does not begin with / or !/, or has more than 100 characters.", r)
		}
	}
	if !positive {
		return refuse(http.StatusBadRequest, codeInvalid, "assets.config.run_worker_first has only rules with !, so none of them says anything.")
	}
	return nil
}

// has reports whether a path is answered by the files: a rule with ! says so, or, without rules, that there is a file.
func (s *assetSet) has(at string) bool {
	for _, r := range s.rules {
		if bare, negative := strings.CutPrefix(r, "!"); negative && matches(bare, at) {
			return true
		}
	}
	_, found := s.find(at)
	return found && !slices.ContainsFunc(s.rules, func(r string) bool { return matches(r, at) })
}

func matches(rule, at string) bool {
	if prefix, ok := strings.CutSuffix(rule, "*"); ok {
		return strings.HasPrefix(at, prefix)
	}
	return rule == at
}

// find is the file of a path: itself, or the page of a folder.
func (s *assetSet) find(at string) (asset, bool) {
	if strings.HasSuffix(at, "/") {
		at += "index.html"
	}
	f, there := s.files[at]
	return f, there
}

// serve answers a file, the way to a folder's page, or the page for what is not found.
func (s *assetSet) serve(w http.ResponseWriter, r *http.Request) {
	f, found := s.find(r.URL.Path)
	if _, folder := s.find(r.URL.Path + "/"); !found && folder {
		http.Redirect(w, r, r.URL.Path+"/", http.StatusTemporaryRedirect)
		return
	}
	status := http.StatusOK
	if !found {
		status = http.StatusNotFound
		for at := r.URL.Path; s.config.NotFoundHandling == "404-page" && at != "/" && !found; at = path.Dir(at) {
			f, found = s.files[path.Join(path.Dir(at), "404.html")]
		}
	}
	if f.contentType != "" {
		w.Header().Set("Content-Type", f.contentType)
	}
	w.WriteHeader(status)
	_, _ = w.Write(f.body)
}
