package double

import (
	"net/http"
	"slices"
)

// deployment is which versions of a Worker answer, and how much each.
type deployment struct {
	ID          string            `json:"id"`
	Created     string            `json:"created_on"`
	Source      string            `json:"source"`
	Strategy    string            `json:"strategy"`
	Author      string            `json:"author_email"`
	Versions    []share           `json:"versions"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// share is the part of a version in a deployment, in percent.
type share struct {
	VersionID  string  `json:"version_id"`
	Percentage float64 `json:"percentage"`
}

const (
	codeNoVersion  = 10217
	codeDeployment = 10220
)

func deploymentRoutes() []route {
	const deployments = "/accounts/{account}/workers/scripts/{script}/deployments"
	return []route{
		{pattern: "GET " + deployments, group: groupScripts, handle: on(listDeployments)},
		{pattern: "POST " + deployments, group: groupScripts, handle: on(postDeployment)},
		{pattern: "GET " + deployments + "/{deployment}", group: groupScripts, handle: on(func(c *call, s *script) (any, error) {
			for _, d := range s.deployments {
				if d.ID == c.PathValue("deployment") {
					return d, nil
				}
			}
			return nil, refuse(http.StatusNotFound, codeDeployment, "This deployment does not exist.")
		})},
	}
}

// listDeployments has the ten newest, of which the first is the one that is live.
func listDeployments(_ *call, s *script) (any, error) {
	newest := slices.Clone(s.deployments[max(0, len(s.deployments)-10):])
	slices.Reverse(newest)
	return map[string]any{"deployments": newest}, nil
}

func postDeployment(c *call, s *script) (any, error) {
	given, err := decode[struct {
		Strategy           string            `json:"strategy"`
		Versions           []share           `json:"versions"`
		Annotations        map[string]string `json:"annotations"`
		CodeUpdateStrategy *updateStrategy   `json:"code_update_strategy"`
	}](c)
	if err != nil {
		return nil, err
	}
	if given.Strategy != "percentage" {
		return nil, refuse(http.StatusBadRequest, codeRequest, "strategy has to be percentage, is %q", given.Strategy)
	}
	if err := checkAnnotations(given.Annotations, "workers/message", "workers/triggered_by"); err != nil {
		return nil, err
	}
	if err := given.CodeUpdateStrategy.check(); err != nil {
		return nil, err
	}
	if err := c.account.checkShares(s, given.Versions); err != nil {
		return nil, err
	}
	return s.deploy(c.api, given.Versions, given.Annotations), nil
}

// checkShares takes one or two versions that make a whole, each one that could run: it is among the newest, the classes of objects are as
// they were, and what it is bound to is there.
func (a *Account) checkShares(s *script, shares []share) error {
	if len(shares) < 1 || len(shares) > 2 {
		return refuse(http.StatusBadRequest, codeDeployment, "A deployment has one or two versions, not %d.", len(shares))
	}
	sum := 0.0
	for i, sh := range shares {
		v := s.version(sh.VersionID)
		switch {
		case v == nil:
			return refuse(http.StatusBadRequest, codeNoVersion, "The version %q does not exist.", sh.VersionID)
		case v.number <= len(s.versions)-deployable:
			return refuse(http.StatusBadRequest, codeNoVersion, "The version %q is too old: the newest %d can be deployed.", sh.VersionID, deployable)
		case sh.Percentage < 0 || sh.Percentage > 100:
			return refuse(http.StatusBadRequest, codeDeployment, "A percentage is 0 to 100, not %v.", sh.Percentage)
		case i > 0 && shares[0].VersionID == sh.VersionID:
			return refuse(http.StatusBadRequest, codeDeployment, "The version %q is there twice.", sh.VersionID)
		case v.migration != s.migration:
			return refuse(http.StatusBadRequest, codeDeployment, "The version %q is from before the migration %q of Durable Objects.", sh.VersionID, s.migration)
		}
		for _, b := range v.bindings {
			if err := a.lead(s, b); err != nil {
				return err
			}
		}
		sum += sh.Percentage
	}
	if sum != 100 {
		return refuse(http.StatusBadRequest, codeDeployment, "The percentages of a deployment have to make 100, these make %v.", sum)
	}
	return nil
}

func (s *script) deploy(api *API, shares []share, annotations map[string]string) *deployment {
	d := &deployment{
		ID: api.uuid(), Created: api.now(), Source: "api", Strategy: "percentage", Author: authorEmail,
		Versions: shares, Annotations: annotations,
	}
	s.deployments = append(slices.Clip(s.deployments), d)
	s.rotation, s.lag = rotation{}, api.Lag
	return d
}
