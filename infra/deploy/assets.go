package deploy

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"

	"levada.dev/infra/deploy/account"
	"levada.dev/infra/stack"
)

// Assets are the files that are answered in a Worker's place. They are a part of each of its versions, and go back with it.
type Assets struct {
	Files   map[string]Asset // by the path on the host
	Headers string           // the rules for the headers of their answers
	Digest  string           // of all of it
}

// Asset is one file.
type Asset struct {
	Hash, Type string
	Body       []byte
}

const (
	maxAsset  = 25 << 20 // bytes of a file, https://developers.cloudflare.com/workers/platform/limits/#static-assets
	maxAssets = 20_000   // files of a version, on the free plan
)

// ReadAssets reads a folder of assets as package build gathers it.
func ReadAssets(dir fs.FS) (*Assets, error) {
	a := &Assets{Files: map[string]Asset{}}
	err := fs.WalkDir(dir, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		body, err := fs.ReadFile(dir, name)
		switch {
		case err != nil:
			return err
		case name == stack.HeadersFile:
			a.Headers = string(body)
			return nil
		case len(body) > maxAsset:
			return fmt.Errorf("%s: has %d bytes, a file may have %d", name, len(body), maxAsset)
		}
		a.Files["/"+name] = Asset{Hash: assetHash(name, body), Type: assetType(name), Body: body}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(a.Files) == 0 || len(a.Files) > maxAssets {
		return nil, fmt.Errorf("there are %d assets, there have to be 1 to %d: build the Worker first", len(a.Files), maxAssets)
	}
	digest := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(a.Files)) {
		fmt.Fprintf(digest, "%s\x00%s\x00", name, a.Files[name].Hash)
	}
	digest.Write([]byte(a.Headers))
	a.Digest = hex.EncodeToString(digest.Sum(nil))
	return a, nil
}

// assetHash names a file's content in an account, with its type: the same content as another type is another file.
func assetHash(name string, body []byte) string {
	h := sha256.New()
	h.Write(body)
	h.Write([]byte(path.Ext(name)))
	return hex.EncodeToString(h.Sum(nil))[:32]
}

// assetTypes are those of the files that there are, since what mime knows differs from machine to machine.
var assetTypes = map[string]string{
	".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml",
	".txt": "text/plain; charset=utf-8", ".json": "application/json", ".png": "image/png", ".woff2": "font/woff2",
}

// noType has the API send no type.
const noType = "application/null"

func assetType(name string) string {
	if known := assetTypes[path.Ext(name)]; known != "" {
		return known
	}
	return noType
}

// size is how many bytes the files have together.
func (a *Assets) size() (n int) {
	for _, f := range a.Files {
		n += len(f.Body)
	}
	return n
}

// checkAssets refuses a Worker whose files are not there, or that is to have none.
func (d *Desired) checkAssets(w stack.Worker) error {
	code, there := d.Code[w.Role]
	switch {
	case there && w.Assets != nil && code.Assets == nil:
		return fmt.Errorf("worker %s: its assets are missing: build the Worker first", w.Role)
	case there && w.Assets == nil && code.Assets != nil:
		return fmt.Errorf("worker %s: there are assets, and the table has none of it", w.Role)
	}
	return nil
}

// assetsMetadata is what an upload says of the files: a token that stands for them, and how they are served.
type assetsMetadata struct {
	JWT    string       `json:"jwt,omitempty"`
	Config assetsConfig `json:"config"`
}

type assetsConfig struct {
	HTMLHandling     string   `json:"html_handling,omitempty"`
	NotFoundHandling string   `json:"not_found_handling,omitempty"`
	RunWorkerFirst   []string `json:"run_worker_first,omitempty"`
	Headers          string   `json:"_headers,omitempty"`
}

func (d *Desired) describeAssets(w stack.Worker) *assetsMetadata {
	if w.Assets == nil {
		return nil
	}
	m := &assetsMetadata{Config: assetsConfig{
		HTMLHandling: w.Assets.HTMLHandling, NotFoundHandling: w.Assets.NotFoundHandling, RunWorkerFirst: w.Assets.RunWorkerFirst(),
	}}
	if files := d.Code[w.Role].Assets; files != nil {
		m.Config.Headers = files.Headers
	}
	return m
}

// withAssets says what a new Worker has beside its code.
func (d *Desired) withAssets(w stack.Worker) []string {
	files := d.Code[w.Role].Assets
	if w.Assets == nil || files == nil {
		return nil
	}
	return []string{fmt.Sprintf("with %s below %s, %d KiB", counted(len(files.Files), "file", "files"), w.Assets.Path, (files.size()+1023)>>10)}
}

// sendAssets sends the files that the account does not have, and returns the token that stands for them all. It may be done again at any
// time: what was sent is there.
// https://developers.cloudflare.com/workers/static-assets/direct-upload/
func (r *run) sendAssets(ctx context.Context, j *job) (jwt string, err error) {
	files := r.plan.desired.Code[j.role].Assets
	if files == nil {
		return "", nil
	}
	type entry struct {
		Hash string `json:"hash"`
		Size int    `json:"size"`
	}
	manifest, byHash := map[string]entry{}, map[string]Asset{}
	for name, f := range files.Files {
		manifest[name], byHash[f.Hash] = entry{f.Hash, len(f.Body)}, f
	}
	var session struct {
		JWT     string     `json:"jwt"`
		Buckets [][]string `json:"buckets"`
	}
	at := r.account.Path("workers", "scripts", j.script, "assets-upload-session")
	if err := r.account.Set(ctx, at, map[string]any{"manifest": manifest}, &session); err != nil {
		return "", err
	}
	if len(session.Buckets) == 0 {
		return session.JWT, nil
	}
	sender := r.account.Bearing(session.JWT)
	for _, bucket := range session.Buckets {
		var parts account.Parts
		for _, hash := range bucket {
			f, ours := byHash[hash]
			if !ours {
				return "", fmt.Errorf("%s: the API asks for a file that nobody offered, %.40q", j.script, hash)
			}
			parts = append(parts, account.Module{Name: hash, Type: f.Type, Body: []byte(base64.StdEncoding.EncodeToString(f.Body))})
		}
		var sent struct {
			JWT string `json:"jwt"`
		}
		if err := sender.Set(ctx, r.account.Path("workers", "assets", "upload")+"?base64=true", parts, &sent); err != nil {
			return "", err
		}
		if sent.JWT != "" {
			jwt = sent.JWT
		}
	}
	if jwt == "" {
		return "", errors.New(j.script + ": all files were sent, and the API does not say that it has them: deploy again")
	}
	return jwt, nil
}
