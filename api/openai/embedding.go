package openai

import (
	"encoding/base64"
	"encoding/binary"
	"io"
	"math"
	"strconv"
)

// EmbeddingRequest is the body of POST /v1/embeddings.
type EmbeddingRequest struct {
	Model      string
	Input      []string
	Base64     bool // vectors as base64 of little-endian float32
	Dimensions int  // 0: the model's own
	User       string
}

const (
	maxInputs     = 2048
	maxDimensions = 1 << 20
)

// DecodeEmbedding reads a request.
func DecodeEmbedding(body []byte) (EmbeddingRequest, error) {
	var q EmbeddingRequest
	if err := document(body, q.member); err != nil {
		return q, err
	}
	switch {
	case q.Model == "":
		return q, missing("model")
	case q.Input == nil:
		return q, missing("input")
	case len(q.Input) == 0:
		return q, mistake("input", "empty_array", "must have at least one text")
	}
	return q, nil
}

func (q *EmbeddingRequest) member(r *reader, name []byte) (err error) {
	absent := r.null()
	switch string(name) {
	case "model", "input", "encoding_format", "dimensions", "user":
	default:
		return r.unknown()
	}
	if absent {
		return nil
	}
	switch string(name) {
	case "model":
		q.Model, err = r.text()
	case "input":
		q.Input, err = r.inputs()
	case "encoding_format":
		var format string
		format, err = r.oneOf("float", "base64")
		q.Base64 = format == "base64"
	case "dimensions":
		var dimensions int64
		dimensions, err = r.integer(1, maxDimensions)
		q.Dimensions = int(dimensions)
	case "user":
		q.User, err = r.text()
	}
	return err
}

// inputs reads a text or several. Tokens are numbers of OpenAI's vocabulary, which the models here do not have.
func (r *reader) inputs() ([]string, error) {
	if r.peek() == '"' {
		s, err := r.input()
		return []string{s}, err
	}
	if r.peek() != '[' {
		return nil, r.mistyped("a string or an array")
	}
	all := make([]string, 0, 8)
	err := r.array(func(i int) error {
		if i == maxInputs {
			return mistake("input", "array_above_max_length", "has more than %d texts", maxInputs)
		}
		if c := r.peek(); c == '[' || c == '-' || c >= '0' && c <= '9' {
			return mistake("input", "unsupported_value", "has tokens, which are of another model's vocabulary; send texts")
		}
		s, err := r.input()
		all = append(all, s)
		return err
	})
	return all, err
}

func (r *reader) input() (string, error) {
	s, err := r.text()
	if err == nil && s == "" {
		err = r.refuse("invalid_value", "is an empty string")
	}
	return s, err
}

// WriteEmbeddings writes the answer, a vector for each text, in order. The numbers of many vectors are several times as
// large as the vectors, so they are written as they are made.
func WriteEmbeddings(w io.Writer, model string, vectors [][]float32, encoded bool, tokens int) error {
	b := append(make([]byte, 0, 2*writeSize), `{"object":"list","data":[`...)
	for i, v := range vectors {
		if len(b) > writeSize {
			if _, err := w.Write(b); err != nil {
				return err
			}
			b = b[:0]
		}
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(append(b, `{"object":"embedding","index":`...), int64(i), 10)
		b = append(b, `,"embedding":`...)
		if encoded {
			b = appendBase64(b, v)
		} else {
			b = appendFloats(b, v)
		}
		b = append(b, '}')
	}
	b = appendString(append(b, `],"model":`...), model)
	b = strconv.AppendInt(append(b, `,"usage":{"prompt_tokens":`...), int64(tokens), 10)
	b = strconv.AppendInt(append(b, `,"total_tokens":`...), int64(tokens), 10)
	_, err := w.Write(append(b, "}}"...))
	return err
}

// writeSize is from how many bytes on they are written.
const writeSize = 32 << 10

// appendFloats writes the shortest decimals that are these very float32.
func appendFloats(b []byte, v []float32) []byte {
	b = append(b, '[')
	for i, x := range v {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendFloat(b, float64(x), 'g', -1, 32)
	}
	return append(b, ']')
}

func appendBase64(b []byte, v []float32) []byte {
	raw := make([]byte, 0, 4*len(v))
	for _, x := range v {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(x))
	}
	b = append(b, '"')
	b = base64.StdEncoding.AppendEncode(b, raw)
	return append(b, '"')
}
