package validate

import (
	"io/fs"
	"path"
	"strings"

	"levada.dev/tenants"
)

// Prompts is the folder of a tenant's own prompts, beside its configuration: <name>@<version>.md.
const Prompts = "prompts"

// readPrompts gives a configuration the prompts of its folder, and checks them.
func (s *set) readPrompts(fsys fs.FS, config string, c *tenants.Config) {
	entries, err := fs.ReadDir(fsys, path.Join(path.Dir(config), Prompts))
	if err != nil {
		entries = nil // most have none
	}
	for _, e := range entries {
		file := path.Join(path.Dir(config), Prompts, e.Name())
		name, md := strings.CutSuffix(e.Name(), ".md")
		if !md || e.IsDir() {
			s.add(file, "", "such as prompts/grounded@2.md", "is not a prompt")
			continue
		}
		if name == tenants.DefaultPrompt {
			s.add(file, "", "give it a name or a version of its own", "%s is the platform's own", name)
			continue
		}
		b, err := fs.ReadFile(fsys, file)
		if err != nil {
			s.add(file, "", "", "cannot be read: %v", pathless(err))
			continue
		}
		_, problems := tenants.ParsePrompt(name, string(b))
		for _, p := range problems {
			p.File = file
			s.problems = append(s.problems, p)
		}
		if c.Prompts == nil {
			c.Prompts = map[string]string{}
		}
		c.Prompts[name] = string(b)
	}
	if n := len(c.Prompts); n > tenants.MaxPrompts {
		s.add(config, "", "remove those that are not used", "the tenant has %d prompts, more than %d", n, tenants.MaxPrompts)
	}
	if _, own := c.Prompts[c.Answers.Prompt]; !own && c.Answers.Prompt != tenants.DefaultPrompt && !s.has(config, "answers.prompt") {
		s.add(config, "answers.prompt", "a file beside the configuration: prompts/"+c.Answers.Prompt+".md", "there is no prompt %.64q", c.Answers.Prompt)
	}
}
