package mail

import (
	"slices"
	"strings"
	"sync"
	"time"

	"ordergraph/sandbox/page"
)

// A box keeps the latest messages.
type box struct {
	keep int

	mu       sync.Mutex
	last     int64
	bytes    int
	messages []*parcel // oldest first
	bell     page.Bell // rings with the latest message's id
}

// A parcel is a message as it came. It is opened when somebody wants to see
// what is in it: most are only counted.
type parcel struct {
	id   int64
	at   time.Time
	from string
	to   []string
	raw  []byte

	once   sync.Once
	opened Message
}

// open is the message that is in it.
func (p *parcel) open() Message {
	p.once.Do(func() {
		p.opened = read(p.raw)
		p.opened.ID, p.opened.At, p.opened.EnvelopeFrom, p.opened.EnvelopeTo = p.id, p.at, p.from, p.to
	})
	return p.opened
}

// size is about how much memory the message takes, or will: opened, what is in
// it is there once more.
func (p *parcel) size() int { return 2 * len(p.raw) }

// isTo reports whether the message went to the address, in lower case.
func (p *parcel) isTo(address string) bool {
	return slices.ContainsFunc(p.to, func(to string) bool { return strings.ToLower(to) == address })
}

func (b *box) put(p *parcel) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last++
	p.id = b.last
	b.messages, b.bytes = append(b.messages, p), b.bytes+p.size()
	for len(b.messages) > b.keep || b.bytes > keepBytes && len(b.messages) > 1 {
		b.bytes -= b.messages[0].size()
		b.messages[0] = nil // its memory goes, too
		b.messages = b.messages[1:]
	}
	b.bell.Ring(b.last)
}

// list is the latest messages to an address, newest first; most is how many,
// 0 for all.
func (b *box) list(to string, most int) []Message {
	b.mu.Lock()
	var found []*parcel
	for i := len(b.messages) - 1; i >= 0 && (most == 0 || len(found) < most); i-- {
		if to == "" || b.messages[i].isTo(to) {
			found = append(found, b.messages[i])
		}
	}
	b.mu.Unlock()
	out := make([]Message, len(found))
	for i, p := range found {
		out[i] = p.open()
	}
	return out
}

func (b *box) get(id int64) (Message, bool) {
	b.mu.Lock()
	i := slices.IndexFunc(b.messages, func(p *parcel) bool { return p.id == id })
	if i < 0 {
		b.mu.Unlock()
		return Message{}, false
	}
	p := b.messages[i]
	b.mu.Unlock()
	return p.open(), true
}
