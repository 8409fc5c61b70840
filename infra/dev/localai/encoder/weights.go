package encoder

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
)

// weights are a TensorFlow.js model's tensors by name.
type weights map[string][]float32

// readWeights reads model.json and the shards it names. Only float32 tensors are
// kept: the others are constants of the graph we do not run.
func readWeights(dir string) (weights, error) {
	var model struct {
		WeightsManifest []struct {
			Paths   []string
			Weights []struct {
				Name  string
				Shape []int
				Dtype string
			}
		}
	}
	raw, err := os.ReadFile(filepath.Join(dir, "model.json"))
	if err != nil {
		return nil, fmt.Errorf("read the model: %w", err)
	}
	if err := json.Unmarshal(raw, &model); err != nil {
		return nil, fmt.Errorf("read model.json: %w", err)
	}
	tensors := weights{}
	for _, group := range model.WeightsManifest {
		var data []byte
		for _, path := range group.Paths {
			shard, err := os.ReadFile(filepath.Join(dir, path))
			if err != nil {
				return nil, fmt.Errorf("read the model: %w", err)
			}
			data = append(data, shard...)
		}
		for _, tensor := range group.Weights {
			size := 1
			for _, n := range tensor.Shape {
				size *= n
			}
			if len(data) < 4*size {
				return nil, fmt.Errorf("read the model: the shards end inside %s", tensor.Name)
			}
			if tensor.Dtype == "float32" {
				tensors[tensor.Name] = floats(data[:4*size])
			}
			data = data[4*size:]
		}
	}
	return tensors, nil
}

func floats(data []byte) []float32 {
	out := make([]float32, len(data)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
	}
	return out
}

// find answers the one tensor whose name holds every part.
func (w weights) find(parts ...string) ([]float32, error) {
	var found []float32
	matches := 0
next:
	for name, tensor := range w {
		for _, part := range parts {
			if !strings.Contains(name, part) {
				continue next
			}
		}
		found = tensor
		matches++
	}
	if matches != 1 {
		return nil, fmt.Errorf("read the model: %d tensors are named like %s", matches, strings.Join(parts, " and "))
	}
	return found, nil
}
