package mail

import (
	"sync"

	"ordergraph/sandbox/page"
)

// A box keeps the latest messages.
type box struct {
	keep int

	mu       sync.Mutex
	last     int64
	bytes    int
	messages []Message // oldest first
	bell     page.Bell // rings with the latest message's id
}

func (b *box) put(m Message) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last++
	m.ID = b.last
	b.messages, b.bytes = append(b.messages, m), b.bytes+m.size()
	for len(b.messages) > b.keep || b.bytes > keepBytes && len(b.messages) > 1 {
		b.bytes -= b.messages[0].size()
		b.messages[0] = Message{} // its memory goes, too
		b.messages = b.messages[1:]
	}
	b.bell.Ring(b.last)
}

// list is the latest messages to an address, newest first; most is how many,
// 0 for all.
func (b *box) list(to string, most int) []Message {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := []Message{}
	for i := len(b.messages) - 1; i >= 0 && (most == 0 || len(out) < most); i-- {
		if to == "" || b.messages[i].isTo(to) {
			out = append(out, b.messages[i])
		}
	}
	return out
}

func (b *box) get(id int64) (Message, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range b.messages {
		if m.ID == id {
			return m, true
		}
	}
	return Message{}, false
}
