package logbooktest

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Check is what lines are held to.
type Check struct {
	schema *jsonschema.Schema
	secret []string
}

// New is a check by the schema of a checkout. None of the secrets may be in any line; empty ones are none.
func New(root string, secrets ...string) (*Check, error) {
	f, err := os.Open(filepath.Join(root, "docs", "logs.schema.json"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	doc, err := jsonschema.UnmarshalJSON(f)
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("logs.json", doc); err != nil {
		return nil, err
	}
	schema, err := c.Compile("logs.json")
	if err != nil {
		return nil, err
	}
	check := &Check{schema: schema}
	for _, s := range secrets {
		if s != "" {
			check.secret = append(check.secret, s)
		}
	}
	return check, nil
}

// Line holds one line to it. What is no JSON is the runtime's own, and is held to having no secret.
func (c *Check) Line(line []byte) error {
	for n, s := range c.secret {
		if bytes.Contains(line, []byte(s)) {
			return fmt.Errorf("secret %d is logged: %s", n, line)
		}
	}
	if !bytes.HasPrefix(line, []byte("{")) {
		return nil
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(line))
	if err != nil {
		return nil // the runtime's, or cut off where its process died
	}
	if err := c.schema.Validate(v); err != nil {
		return fmt.Errorf("docs/logs.schema.json has no such line: %s: %w", line, err)
	}
	return nil
}

// maxProblems is how many lines are named.
const maxProblems = 10

// All holds every line to it, and says how many there were of those that are JSON.
func (c *Check) All(r io.Reader) (lines int, err error) {
	var problems []error
	in := bufio.NewReader(r)
	for {
		line, err := in.ReadBytes('\n')
		if line = bytes.TrimSpace(line); len(line) > 0 {
			if line[0] == '{' {
				lines++
			}
			if err := c.Line(line); err != nil && len(problems) < maxProblems {
				problems = append(problems, err)
			}
		}
		if errors.Is(err, io.EOF) {
			return lines, errors.Join(problems...)
		}
		if err != nil {
			return lines, err
		}
	}
}

// File holds a file to it.
func (c *Check) File(name string) (lines int, err error) {
	f, err := os.Open(name)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	return c.All(f)
}

// Hold holds the log of a platform that has ended to the schema, and to having none of the secrets. One that never ran has no log.
func Hold(root, name string, secrets ...string) error {
	check, err := New(root, secrets...)
	if err != nil {
		return err
	}
	_, err = check.File(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
