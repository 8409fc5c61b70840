package localvec

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"net/http"
)

// A frame carries JSON and vectors in one body, so that vectors travel as the
// bytes of a Float32Array:
//
//	length of the JSON (4 bytes, little-endian), JSON padded with spaces so that
//	the length is a multiple of 4, float32 numbers (little-endian) to the end

const frameType = "application/x-levada-vectors"

// maxFrame is above what a full batch of the largest vectors and metadata takes.
const maxFrame = 64 << 20

func readFrame(r *http.Request, header any) ([]float32, error) {
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxFrame))
	if err != nil {
		return nil, refuse(codeUnreadable, "failed to read the request: %v", err)
	}
	if len(body) < 4 {
		return nil, refuse(codeUnreadable, "failed to parse the request: it has no frame")
	}
	length := int(binary.LittleEndian.Uint32(body))
	body = body[4:]
	if length > len(body) || (len(body)-length)%4 != 0 {
		return nil, refuse(codeUnreadable, "failed to parse the request: its frame is torn")
	}
	if err := json.Unmarshal(body[:length], header); err != nil {
		return nil, refuse(codeUnreadable, "failed to parse the request: %v", err)
	}
	return readFloats(body[length:]), nil
}

func frame(header any, vectors [][]float32) ([]byte, error) {
	text, err := json.Marshal(header)
	if err != nil {
		return nil, err
	}
	for len(text)%4 != 0 {
		text = append(text, ' ')
	}
	out := binary.LittleEndian.AppendUint32(nil, uint32(len(text)))
	out = append(out, text...)
	for _, v := range vectors {
		out = appendFloats(out, v)
	}
	return out, nil
}

// respondFrame writes what f answers on the index's settled state. It writes after
// the lock is gone, so that a slow reader holds nobody up.
func (s *Store) respondFrame(ix *index, w http.ResponseWriter, f func() (any, [][]float32, error)) error {
	var out []byte
	err := ix.look(s.now(), func() error {
		header, vectors, err := f()
		if err != nil {
			return err
		}
		out, err = frame(header, vectors)
		return err
	})
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", frameType)
	w.Write(out)
	return nil
}

// respond answers JSON, or the refusal as the platform's {code, error}.
func respond(w http.ResponseWriter, v any, err error) {
	w.Header().Set("Content-Type", "application/json")
	if err != nil {
		var r *refusal
		if !errors.As(err, &r) {
			r = &refusal{http.StatusInternalServerError, 10000, err.Error()}
		}
		w.WriteHeader(r.status)
		v = map[string]any{"code": r.code, "error": r.text}
	}
	json.NewEncoder(w).Encode(v)
}
