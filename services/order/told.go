package order

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"ordergraph/platform/docstore"
	"ordergraph/platform/events"
)

// InvoiceTopic is the stream on which the invoice service rings, and
// FactInvoice that an invoice or credit note can be had. Its key is the order's
// id; its Doc is that as well for the invoice, and another for a credit note.
const (
	InvoiceTopic = "invoice"
	FactInvoice  = "invoice.ready"
)

// NotificationTopic is the stream on which the notification service rings, and
// FactTold that a message about an order has come as far as its data, a Told,
// says. Its key is the order's id.
const (
	NotificationTopic = "notification"
	FactTold          = "notification.told"
)

// Told is the data of FactTold. Kind, Channel and Status are in the words of
// the notification service.
type Told struct {
	ID      string `bson:"id"`
	Kind    string `bson:"kind"`
	Channel string `bson:"channel"`
	Status  string `bson:"status"`
}

// A Paper is an invoice or credit note that can be had.
type Paper struct {
	ID   string    `bson:"id"`
	Kind PaperKind `bson:"kind"`
	At   time.Time `bson:"at"` // since when
}

// PaperKind tells invoices from credit notes.
type PaperKind string

// The kinds of papers.
const (
	PaperInvoice    PaperKind = "INVOICE"
	PaperCreditNote PaperKind = "CREDIT_NOTE"
)

// A Message is how far the latest message of its kind and channel has come.
type Message struct {
	ID      string    `bson:"id"`
	Kind    string    `bson:"kind"`    // "confirmed"
	Channel string    `bson:"channel"` // "MAIL", "SMS"
	Status  string    `bson:"status"`  // "SENT"
	At      time.Time `bson:"at"`      // since when
}

// maxPapers is how many papers an order remembers; more are still to be had.
const maxPapers = 50

// heardOfPaper notes in the order that an invoice or credit note can be had.
func (k *Keeper) heardOfPaper(ctx context.Context, fact events.Fact) error {
	if fact.Type != FactInvoice || fact.Key == "" {
		return nil
	}
	kind := PaperCreditNote
	if fact.Doc == fact.Key {
		kind = PaperInvoice
	}
	return k.note(ctx, fact.Key, func(d *news) bool { return d.hold(Paper{ID: fact.Doc, Kind: kind, At: fact.At}) })
}

// HearMessage notes in the order how far a message about it has come.
func (k *Keeper) HearMessage(ctx context.Context, fact events.Fact) error {
	if fact.Type != FactTold || fact.Key == "" {
		return nil
	}
	var told Told
	if err := bson.Unmarshal(fact.Data, &told); err != nil {
		return fmt.Errorf("fact %s: %w", fact.ID, err)
	}
	return k.note(ctx, fact.Key, func(d *news) bool {
		return d.remember(Message{ID: told.ID, Kind: told.Kind, Channel: told.Channel, Status: told.Status, At: fact.At})
	})
}

// news is as much of a document as changes by what others tell.
type news struct {
	docstore.Meta `bson:",inline"`
	Shown         int64     `bson:"shown,omitempty"`
	Papers        []Paper   `bson:"papers,omitempty"`
	Messages      []Message `bson:"messages,omitempty"`
}

// note changes the order by what somebody else tells, if that is news. Who
// watches the order sees it; no fact tells others, who would all come and ask
// what concerns none of them.
func (k *Keeper) note(ctx context.Context, id string, learn func(*news) bool) error {
	seen := false
	changed, err := k.news.Update(ctx, id, func(d *docstore.Partial[news]) error {
		if seen = learn(&d.Part); !seen {
			return docstore.Unchanged
		}
		d.Part.Shown = d.Part.Version + 1
		return nil
	})
	if errors.Is(err, docstore.ErrNotFound) {
		return nil
	}
	if err == nil && seen {
		k.o.Bell.Ring(LiveTopic, id, changed.Part.Shown)
	}
	return err
}

// hold adds a paper, and reports whether that is news.
func (d *news) hold(p Paper) bool {
	if len(d.Papers) >= maxPapers || slices.ContainsFunc(d.Papers, func(known Paper) bool { return known.ID == p.ID }) {
		return false
	}
	d.Papers = append(d.Papers, p)
	return true
}

// stages orders what a message comes to: facts may come late and twice, and
// none takes a message back.
var stages = map[string]int{"DEAD": 1, "SENT": 2, "UNDELIVERED": 3, "DELIVERED": 4}

// remember takes over how far a message has come, and reports whether that is
// news. Of several messages of one kind and channel the one told of last
// counts.
func (d *news) remember(m Message) bool {
	i := slices.IndexFunc(d.Messages, func(known Message) bool { return known.Kind == m.Kind && known.Channel == m.Channel })
	if i < 0 {
		d.Messages = append(d.Messages, m)
		return true
	}
	known := &d.Messages[i]
	switch {
	case known.ID == m.ID && stages[m.Status] <= stages[known.Status]:
		return false
	case known.ID != m.ID && (m.At.Before(known.At) || m.At.Equal(known.At) && strings.Compare(m.ID, known.ID) < 0):
		return false
	}
	*known = m
	return true
}
