package stack

import (
	"slices"
	"strings"
)

// Assets are files that are answered below a path before the public Worker runs, which then costs nothing.
// https://developers.cloudflare.com/workers/static-assets/
type Assets struct {
	// Folder is where they come from, seen from the module's root: package build says which of its files are served.
	Folder string `json:"folder"`

	// Path is what they are answered below: "/console/". Nothing below it reaches the Worker, and nothing else is looked
	// for among the files.
	Path string `json:"path"`

	// HTMLHandling says which paths lead to a page, NotFoundHandling what is answered where there is no file.
	HTMLHandling     string `json:"html_handling,omitempty"`
	NotFoundHandling string `json:"not_found_handling,omitempty"`
}

// HeadersFile has the rules for the headers of the files, beside them, and is not served.
// https://developers.cloudflare.com/workers/static-assets/headers/
const HeadersFile = "_headers"

// RunWorkerFirst are the rules by which requests go to the Worker or to the files, as Cloudflare takes them. Without them a browser that
// opens a page of the API which is no file would be shown the files' page for what is not found.
// https://developers.cloudflare.com/workers/static-assets/routing/worker-script/
func (a *Assets) RunWorkerFirst() []string {
	return []string{"/*", "!" + strings.TrimSuffix(a.Path, "/"), "!" + a.Path + "*"}
}

const (
	assetsPath = `^(/[a-z0-9][a-z0-9-]*)+/$`

	assetsConfig = "https://developers.cloudflare.com/workers/static-assets/routing/"
)

// What the two settings may be; the first is Cloudflare's own choice.
var (
	htmlHandlings     = []string{"auto-trailing-slash", "force-trailing-slash", "drop-trailing-slash", "none"}
	notFoundHandlings = []string{"none", "404-page", "single-page-application"}
)

func (v *validation) assets(what string, w Worker) {
	a := w.Assets
	if a == nil {
		return
	}
	if !w.Public {
		v.fault("%sit has assets and is not public: nobody could ask for them", what)
	}
	if a.Folder == "" {
		v.fault("%sassets: the folder is missing", what)
	}
	v.matches(what+"assets: path", a.Path, assetsPath)
	if a.HTMLHandling != "" && !slices.Contains(htmlHandlings, a.HTMLHandling) {
		v.fault("%sassets: html_handling %q is none of %s: %s", what, a.HTMLHandling, strings.Join(htmlHandlings, ", "), assetsConfig)
	}
	if a.NotFoundHandling != "" && !slices.Contains(notFoundHandlings, a.NotFoundHandling) {
		v.fault("%sassets: not_found_handling %q is none of %s: %s", what, a.NotFoundHandling, strings.Join(notFoundHandlings, ", "), assetsConfig)
	}
}
