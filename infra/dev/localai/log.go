package localai

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Log is one call in a gateway's log, in the platform's shape.
type Log struct {
	ID           string         `json:"id"`
	CreatedAt    time.Time      `json:"created_at"`
	Provider     string         `json:"provider"`
	Model        string         `json:"model"`
	ModelType    string         `json:"model_type,omitempty"`
	Path         string         `json:"path"`
	Duration     int64          `json:"duration"` // ms
	RequestType  string         `json:"request_type,omitempty"`
	ContentType  string         `json:"response_content_type,omitempty"`
	StatusCode   int            `json:"status_code"`
	Success      bool           `json:"success"`
	Cached       bool           `json:"cached"`
	TokensIn     int            `json:"tokens_in"`
	TokensOut    int            `json:"tokens_out"`
	Cost         float64        `json:"cost"` // US dollars
	Step         int            `json:"step"` // attempts before the one that answered
	Metadata     map[string]any `json:"metadata,omitempty"`
	EventID      string         `json:"event_id,omitempty"`
	RequestSize  int            `json:"request_size"`
	RequestHead  string         `json:"request_head"`
	ResponseSize int            `json:"response_size"`
	ResponseHead string         `json:"response_head"` // empty where the answer is audio
	Score        *float64       `json:"score,omitempty"`
	Feedback     *int           `json:"feedback,omitempty"`
}

// Patch is what a caller may change in a log.
type Patch struct {
	Score    *float64       `json:"score"`
	Feedback *int           `json:"feedback"`
	Metadata map[string]any `json:"metadata"`
}

// maxLogs is how many calls of a gateway are kept: the free plan's limit. Older
// ones are forgotten.
const maxLogs = 100_000

// journal is every gateway's log, kept in memory and in a file of one JSON object
// a line. A line is written before the call is answered and not synced, so it
// survives the end of this process and not a power cut. A torn last line is cut,
// and what was forgotten leaves the file when it is opened.
type journal struct {
	most int // calls kept of each gateway

	mu    sync.Mutex
	file  *os.File
	calls map[string][]*Log // by gateway; "" holds the calls that passed none
	ids   map[entry]*Log
}

type entry struct{ gateway, id string }

// line is what the file holds: a call, or a change to one.
type line struct {
	Gateway string `json:"gateway"`
	Log     *Log   `json:"log,omitempty"`
	ID      string `json:"id,omitempty"`
	Patch   *Patch `json:"patch,omitempty"`
}

func openJournal(dir string, most int) (*journal, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("open the gateway log: %w", err)
	}
	path := filepath.Join(dir, "gateway.jsonl")
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the gateway log: %w", err)
	}
	j := &journal{most: most, file: file, calls: map[string][]*Log{}, ids: map[entry]*Log{}}
	lines, err := j.read()
	if err == nil && lines > 2*len(j.ids)+most {
		err = j.rewrite(path)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the gateway log: %w", err), j.file.Close())
	}
	return j, nil
}

// rewrite replaces the file by one with only what is kept.
func (j *journal) rewrite(path string) error {
	fresh, err := os.OpenFile(path+".new", os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(fresh)
	encoder := json.NewEncoder(out)
	for gateway, logs := range j.calls {
		for _, log := range logs {
			if err := encoder.Encode(line{Gateway: gateway, Log: log}); err != nil {
				return errors.Join(err, fresh.Close())
			}
		}
	}
	if err := errors.Join(out.Flush(), fresh.Sync(), os.Rename(path+".new", path)); err != nil {
		return errors.Join(err, fresh.Close())
	}
	old := j.file
	j.file = fresh
	return old.Close()
}

// read answers how many lines the file has.
func (j *journal) read() (int, error) {
	reader := bufio.NewReaderSize(j.file, 1<<16)
	good, lines := int64(0), 0
	for ; ; lines++ {
		raw, err := reader.ReadBytes('\n')
		if err != nil && err != io.EOF {
			return lines, err
		}
		if err == io.EOF {
			break
		}
		var l line
		if err := json.Unmarshal(bytes.TrimSpace(raw), &l); err != nil {
			return lines, fmt.Errorf("byte %d: %w", good, err)
		}
		j.apply(l)
		good += int64(len(raw))
	}
	if err := j.file.Truncate(good); err != nil {
		return lines, err
	}
	_, err := j.file.Seek(good, io.SeekStart)
	return lines, err
}

func (j *journal) apply(l line) {
	if l.Patch != nil {
		if log := j.ids[entry{l.Gateway, l.ID}]; log != nil {
			log.patch(*l.Patch)
		}
		return
	}
	calls := append(j.calls[l.Gateway], l.Log)
	if len(calls) > j.most {
		delete(j.ids, entry{l.Gateway, calls[0].ID})
		calls = calls[1:]
	}
	j.calls[l.Gateway], j.ids[entry{l.Gateway, l.Log.ID}] = calls, l.Log
}

func (l *Log) patch(p Patch) {
	if p.Score != nil {
		l.Score = p.Score
	}
	if p.Feedback != nil {
		l.Feedback = p.Feedback
	}
	if p.Metadata != nil {
		l.Metadata = p.Metadata
	}
}

func (j *journal) write(l line) error {
	raw, err := json.Marshal(l)
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if _, err := j.file.Write(append(raw, '\n')); err != nil {
		return fmt.Errorf("write the gateway log: %w", err)
	}
	j.apply(l)
	return nil
}

// find answers a copy of a gateway's call.
func (j *journal) find(gateway, id string) (Log, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if log := j.ids[entry{gateway, id}]; log != nil {
		return *log, true
	}
	return Log{}, false
}

// list answers copies of a gateway's calls, oldest first.
func (j *journal) list(gateway string) []Log {
	j.mu.Lock()
	defer j.mu.Unlock()
	out := make([]Log, len(j.calls[gateway]))
	for i, log := range j.calls[gateway] {
		out[i] = *log
	}
	return out
}

func (j *journal) close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.file.Sync(); err != nil {
		return err
	}
	return j.file.Close()
}
