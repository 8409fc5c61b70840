package validate

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"levada.dev/tenants"
)

// File is the name of a configuration in its tenant's folder.
const File = "tenant.config.json"

// Prod is the environment in which no door may be open.
const Prod = "prod"

// Rules is what the configurations are held against, besides their schema and each other.
type Rules struct {
	Env    string   // the environment they are for: Prod refuses auth.mode open
	Models []string // the embedding models there are; nil lets every name pass

	ChatModels []string // the models that generate text; nil lets every name pass

	Voices  map[string][]string // of the models that speak, by the models' names; nil lets every name pass
	Formats map[string][]string // that they give, the best first; nil lets every fallback pass

	Tools map[string]json.RawMessage // the schemas of what the platform's tools take, by their names; the policies of a tool that is not here pass
}

// Load reads <folder>/tenant.config.json of every folder in fsys and checks them, each alone and all together. It
// returns what could be read, with defaults, in the order of folders, and every problem, sorted. Only without
// problems are the configurations fit for use.
func Load(fsys fs.FS, r Rules) ([]tenants.Config, tenants.Problems) {
	names, err := fs.Glob(fsys, "*/"+File)
	if err != nil || len(names) == 0 {
		return nil, tenants.Problems{{
			Message: "there are no tenants", Hint: "a tenant is a folder with a " + File,
		}}
	}
	var all set
	for _, name := range names {
		b, err := fs.ReadFile(fsys, name)
		if err != nil {
			all.add(name, "", "", "cannot be read: %v", pathless(err))
			continue
		}
		config, problems := tenants.Inspect(b)
		problems = Merge(problems, schemaProblems(b))
		readable := len(problems) == 0 || problems[0].Line == 0
		for i := range problems {
			problems[i].File = name
		}
		all.problems = append(all.problems, problems...)
		if readable {
			all.readPrompts(fsys, name, config)
			all.members = append(all.members, memberOf(name, config))
		}
	}
	all.checkAlone(r)
	all.checkTogether()
	all.problems.Sort()
	configs := make([]tenants.Config, len(all.members))
	for i, m := range all.members {
		configs[i] = *m.config
	}
	return configs, all.problems
}

// pathless is the error without the file's name, which the problem has.
func pathless(err error) error {
	var e *fs.PathError
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}

// member is one configuration that could be read.
type member struct {
	file   string
	folder string
	config *tenants.Config
}

func memberOf(file string, c *tenants.Config) member { return member{file, path.Dir(file), c} }

// set is the configurations and what was found in them.
type set struct {
	members  []member
	problems tenants.Problems
}

func (s *set) add(file, path, hint, format string, args ...any) {
	s.problems = append(s.problems, tenants.Problem{File: file, Path: path, Hint: hint, Message: fmt.Sprintf(format, args...)})
}

// has reports whether a file has a problem at a path already.
func (s *set) has(file, path string) bool {
	return slices.ContainsFunc(s.problems, func(p tenants.Problem) bool { return p.File == file && p.Path == path })
}

// checkAlone applies the rules that need no other tenant.
func (s *set) checkAlone(r Rules) {
	for _, m := range s.members {
		if id := string(m.config.ID); id != m.folder && !s.has(m.file, "id") {
			s.add(m.file, "id", "rename one of them", "%q is not the name of the folder, %q", id, m.folder)
		}
		if r.Env == Prod && m.config.Auth.Mode == tenants.AuthOpen {
			s.add(m.file, "auth.mode", `use "keys"`, "open is refused in the environment %s", Prod)
		}
		if r.Env == Prod && m.config.Ingest.Fetch.Private {
			s.add(m.file, "ingest.fetch.private", "leave it out", "fetching from private networks is refused in the environment %s", Prod)
		}
		s.checkTools(m, r.Env)
		s.checkPolicies(m, r.Tools)
		s.checkSpeech(m, r)
		s.checkModel(m.file, "models.embedding", m.config.Models.Embedding, "embedding model", r.Models)
		s.checkModel(m.file, "models.chat", m.config.Models.Chat, "chat model", r.ChatModels)
		for i, name := range m.config.Models.ChatAllowed {
			s.checkModel(m.file, fmt.Sprintf("models.chatAllowed[%d]", i), name, "chat model", r.ChatModels)
		}
		for i, name := range m.config.Models.ChatFallback {
			s.checkModel(m.file, fmt.Sprintf("models.chatFallback[%d]", i), name, "chat model", r.ChatModels)
		}
	}
}

// checkModel holds the name of a model against those there are.
func (s *set) checkModel(file, path, model, what string, known []string) {
	if known == nil || slices.Contains(known, model) || s.has(file, path) {
		return
	}
	hint := "one of " + strings.Join(known, ", ")
	if best, ok := tenants.Closest(model, known); ok {
		hint = fmt.Sprintf("did you mean %q?", best)
	}
	s.add(file, path, hint, "there is no %s %q", what, model)
}

// checkTogether finds what two tenants cannot both have. It is reported at each of them.
func (s *set) checkTogether() {
	ids, hosts := map[string][]member{}, map[string][]place{}
	for _, m := range s.members {
		if m.config.ID != "" {
			ids[string(m.config.ID)] = append(ids[string(m.config.ID)], m)
		}
		for i, host := range m.config.AllowedHosts {
			if !slices.Contains(m.config.AllowedHosts[:i], host) {
				hosts[host] = append(hosts[host], place{m, fmt.Sprintf("allowedHosts[%d]", i)})
			}
		}
	}
	for id, same := range ids {
		for i, m := range same {
			if len(same) > 1 {
				s.add(m.file, "id", "", "%q is also the id in %s", id, same[(i+1)%len(same)].file)
			}
		}
	}
	for host, same := range hosts {
		for i, p := range same {
			if len(same) > 1 {
				s.add(p.file, p.path, "a host leads to one tenant", "%q is also in %s", host, same[(i+1)%len(same)].file)
			}
		}
	}
	s.checkPools()
}

// place is a value in a configuration.
type place struct {
	member
	path string
}

// checkPools checks what the tenants of a pool share: the fields that the pool's indexes can filter on.
func (s *set) checkPools() {
	pools := map[string][]member{}
	for _, m := range s.members {
		pools[m.config.Pool] = append(pools[m.config.Pool], m)
	}
	for pool, members := range pools {
		fields := map[string][]place{}
		for _, m := range members {
			for name := range m.config.Search.Filterable {
				fields[name] = append(fields[name], place{m, "search.filterable." + name})
			}
		}
		for name, places := range fields {
			s.checkField(name, places)
		}
		if len(fields) <= tenants.MaxFilterable {
			continue
		}
		for _, m := range members {
			if len(m.config.Search.Filterable) > 0 && !s.has(m.file, "search.filterable") {
				s.add(m.file, "search.filterable", "share field names, or give a tenant a pool of its own",
					"the tenants of the pool %q have %d fields together, its indexes hold %d", pool, len(fields), tenants.MaxFilterable)
			}
		}
	}
}

// checkField reports a field that is not of one type in all tenants of a pool.
func (s *set) checkField(name string, places []place) {
	for _, p := range places {
		mine := p.config.Search.Filterable[name]
		for _, other := range places {
			if theirs := other.config.Search.Filterable[name]; theirs != mine && !s.has(p.file, p.path) {
				s.add(p.file, p.path, "give the field another name, or the tenant a pool of its own",
					"is a %s here and a %s in %s, which shares the pool", mine, theirs, other.file)
			}
		}
	}
}
