package encoder

import (
	"fmt"
	"math"
)

const (
	width = 256 // of an embedding and of the first layer's input
	heads = 4
)

// network is the transformer's weights, laid out for matmul.
type network struct {
	embeddings []float32 // 256 numbers a piece
	positions  []float32 // 256 numbers a place in the window
	layers     [2]layer
	output     linear
}

// layer is one pre-normalised transformer block.
type layer struct {
	attendNorm, feedNorm    norms
	qkv, attended, up, down linear
	// residual widens the first layer's input to its output; nil is identity.
	residual *linear
}

type linear struct {
	weights panels
	bias    []float32
}

type norms struct{ scale, bias []float32 }

func readNetwork(dir string) (*network, error) {
	tensors, err := readWeights(dir)
	if err != nil {
		return nil, err
	}
	get := func(parts ...string) []float32 {
		t, e := tensors.find(parts...)
		if e != nil && err == nil {
			err = e
		}
		return t
	}
	dense := func(kernel, bias []float32) linear {
		if len(bias) == 0 {
			return linear{}
		}
		return linear{pack(kernel, len(kernel)/len(bias), len(bias)), bias}
	}
	n := &network{embeddings: get("Embeddings_en"), positions: positions(get("TimingSignal/ExpandDims_1"))}
	for i := range n.layers {
		any, own := fmt.Sprintf("Layer_%d/", i), fmt.Sprintf("Encode/Layer_%d/", i)
		l := &n.layers[i]
		l.attendNorm = norms{get(own, "TransformerLayer/layer_prepostprocess", "scale"), get(own, "TransformerLayer/layer_prepostprocess", "layer_norm_bias")}
		l.feedNorm = norms{get(own, "FFN/layer_prepostprocess", "scale"), get(own, "FFN/layer_prepostprocess", "layer_norm_bias")}
		l.qkv = dense(get(any, "qkv_transform_single/kernel"), get(any, "qkv_transform_single/bias"))
		l.attended = dense(get(any, "output_transform_single/kernel"), get(any, "output_transform_single/bias"))
		l.up = dense(get(any, "FFN/conv1/Tensordot/Reshape_1"), get(any, "FFN/conv1/bias"))
		l.down = dense(get(any, "FFN/conv2/Tensordot/Reshape_1"), get(any, "FFN/conv2/bias"))
		if i == 0 {
			r := dense(get(any, "TransformerLayer/dense/kernel"), get(any, "TransformerLayer/dense/bias"))
			l.residual = &r
		}
	}
	n.output = dense(get("tanh_layer_0/weights"), get("tanh_layer_0/bias"))
	return n, err
}

// positions is the sine and cosine of each place in the window.
func positions(frequencies []float32) []float32 {
	out := make([]float32, Window*width)
	for place := range Window {
		row := out[place*width:]
		for k, f := range frequencies {
			angle := float64(float32(place) * f)
			row[k], row[len(frequencies)+k] = float32(math.Sin(angle)), float32(math.Cos(angle))
		}
	}
	return out
}

// run reads the windows together and answers each one's unit vector. Every row of
// every product is computed alone, so windows do not influence each other.
func (n *network) run(windows []window) [][]float32 {
	rows := 0
	for _, w := range windows {
		rows += len(w.pieces)
	}
	x := matrix(rows, width)
	row := 0
	for _, w := range windows {
		for place, id := range w.pieces {
			out := x[row*width : (row+1)*width]
			embedding, position := n.embeddings[int(id)*width:], n.positions[place*width:]
			for j := range out {
				out[j] = 2*embedding[j] + position[j]
			}
			row++
		}
	}
	for i := range n.layers {
		x = n.layers[i].run(x, rows, windows)
	}
	return n.pool(x, windows)
}

func (l *layer) run(x []float32, rows int, windows []window) []float32 {
	wide := l.qkv.weights.in
	qkv := l.qkv.apply(l.attendNorm.apply(x, rows), rows)
	context := matrix(rows, wide)
	at := 0
	for _, w := range windows {
		attend(qkv[at*3*wide:], context[at*wide:], len(w.pieces), wide)
		at += len(w.pieces)
	}
	y := l.attended.apply(context, rows)
	if l.residual != nil {
		x = l.residual.apply(x, rows)
	}
	add(y, x)
	up := l.up.apply(l.feedNorm.apply(y, rows), rows)
	for i, v := range up {
		up[i] = max(v, 0)
	}
	out := l.down.apply(up, rows)
	add(out, y)
	return out
}

// pool averages a window's rows, and passes the average through the last layer.
func (n *network) pool(x []float32, windows []window) [][]float32 {
	mean := matrix(len(windows), Dim)
	row := 0
	for i, w := range windows {
		out := mean[i*Dim : (i+1)*Dim]
		for range w.pieces {
			add(out, x[row*Dim:(row+1)*Dim])
			row++
		}
		scale(out, 1/float32(len(w.pieces)))
	}
	flat := n.output.apply(mean, len(windows))
	vectors := make([][]float32, len(windows))
	for i := range vectors {
		v := flat[i*Dim : (i+1)*Dim : (i+1)*Dim]
		for j, e := range v {
			v[j] = float32(math.Tanh(float64(e)))
		}
		vectors[i] = Unit(v)
	}
	return vectors
}

func (l linear) apply(x []float32, rows int) []float32 {
	out := matrix(rows, l.weights.out)
	matmul(out, l.weights.out, x, l.weights.in, rows, l.weights, 1)
	for row := range rows {
		add(out[row*l.weights.out:(row+1)*l.weights.out], l.bias)
	}
	return out
}

func (n norms) apply(x []float32, rows int) []float32 {
	d := len(n.scale)
	out := matrix(rows, d)
	for row := range rows {
		in, y := x[row*d:(row+1)*d], out[row*d:(row+1)*d]
		var mean, variance float32
		for _, e := range in {
			mean += e
		}
		mean /= float32(d)
		for _, e := range in {
			variance += (e - mean) * (e - mean)
		}
		r := float32(1 / math.Sqrt(float64(variance/float32(d))+1e-6))
		for j, e := range in {
			y[j] = (e-mean)*r*n.scale[j] + n.bias[j]
		}
	}
	return out
}

func add(to, from []float32) {
	from = from[:len(to)]
	for i := range to {
		to[i] += from[i]
	}
}
