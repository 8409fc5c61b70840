package openai

// SpeechRequest is the body of POST /v1/audio/speech.
type SpeechRequest struct {
	Model  string
	Input  string
	Voice  string
	Format string  // "" for none
	Speed  float64 // 0 for none
}

// The speeds that a request may ask for.
const (
	minSpeed = 0.25
	maxSpeed = 4
)

// DecodeSpeech reads a request. What no model here obeys is refused, and not passed over: instructions, and events instead of the sound.
func DecodeSpeech(body []byte) (SpeechRequest, error) {
	var q SpeechRequest
	if err := document(body, q.member); err != nil {
		return q, err
	}
	switch {
	case q.Model == "":
		return q, missing("model")
	case q.Input == "":
		return q, missing("input")
	case q.Voice == "":
		return q, missing("voice")
	}
	return q, nil
}

func (q *SpeechRequest) member(r *reader, name []byte) (err error) {
	absent := r.null()
	switch string(name) {
	case "model", "input", "voice", "response_format", "speed", "instructions", "stream_format":
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
		q.Input, err = r.input()
	case "voice":
		q.Voice, err = r.voice()
	case "response_format":
		q.Format, err = r.oneOf("mp3", "opus", "aac", "flac", "wav", "pcm")
	case "speed":
		q.Speed, err = r.number(minSpeed, maxSpeed)
	case "instructions":
		var said string
		if said, err = r.text(); err == nil && said != "" {
			err = r.refuse("unsupported_parameter", "is obeyed by no model here; leave it out")
		}
	case "stream_format":
		var format string
		if format, err = r.oneOf("audio", "sse"); err == nil && format == "sse" {
			err = r.refuse("unsupported_value", "does not support 'sse' here; the sound itself comes as it is made")
		}
	}
	return err
}

// voice reads the name of a voice, or an object that has it as its id.
func (r *reader) voice() (id string, err error) {
	if r.peek() != '{' {
		return r.text()
	}
	err = r.object(func(name []byte) error {
		if string(name) != "id" {
			return r.unknown()
		}
		id, err = r.text()
		return err
	})
	return id, err
}
