package memory_test

import (
	"testing"
	"time"

	"levada.dev/infra/memory"
	"levada.dev/workflows/chat/chattest"
)

func conversations(*testing.T) chattest.Ports {
	shelf := memory.NewShelf(time.Now)
	sessions := memory.NewSessions(shelf, time.Now)
	return chattest.Ports{Sessions: sessions, Summaries: sessions, Shelf: shelf}
}

func TestSessions(t *testing.T) { chattest.TestSessions(t, conversations) }

func TestShelf(t *testing.T) { chattest.TestShelf(t, conversations) }
