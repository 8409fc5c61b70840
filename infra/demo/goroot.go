package demo

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
)

// GoRoot is where the go command on the path keeps its standard library.
func GoRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOROOT: %w (is Go on the path?)", err)
	}
	return strings.TrimSpace(string(out)), nil
}
