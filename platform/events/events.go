// Package events carries facts from the service where something happened to
// the services that must know, and does not rest until they do.
//
// The document is the truth and Redis the doorbell. A fact is written into
// its document's Outbox in the same write as the change it tells of; a Relay
// rings it through a Redis stream, and rings again, with growing patience,
// until every listener has confirmed that its effect is in place. So a lost
// ring, a FLUSHALL or a killed process delays a fact and never loses it.
//
// A listener may hear a fact more than once and, after trouble, late: it
// handles facts idempotently, by the fact's ID or by the version it carries.
// Facts of one key are handled one after another, in their order.
//
// A fact that a listener is there for, tries to take, and fails to, again and
// again, is dead for that listener: it is rung no more, and kept until somebody
// replays or drops it. Who is merely away kills nothing.
package events

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"ordergraph/platform/deadletter"
	"ordergraph/platform/docstore"
)

// A Fact is something that happened to a document.
type Fact struct {
	ID   string    `bson:"id"`   // "aggregate:version:type": the same fact always has the same
	Type string    `bson:"type"` // "payment.changed"
	Doc  string    `bson:"doc"`  // id of the document that holds it in its outbox
	Key  string    `bson:"key"`  // what its order is kept for: usually the order's id
	At   time.Time `bson:"at"`
	Data bson.Raw  `bson:"data,omitempty"` // whatever the type says; small, and no personal data
}

// A Handler takes the effect of a fact. nil confirms it; an error leaves it to
// be rung again later. It may run more than once for one fact.
//
// An error of kind Unavailable or Exhausted says that somebody else is away,
// and the fact waits for as long as that takes. Any other says that it is the
// fact that cannot be taken: after mostTries of them it is dead.
type Handler func(ctx context.Context, fact Fact) error

// Outbox is kept inside a document, with `bson:"outbox"`: the facts that are
// not yet confirmed.
type Outbox struct {
	Facts []Pending  `bson:"facts,omitempty"`
	Due   *time.Time `bson:"due,omitempty"` // when the next of them is to be rung again

	Dead   []Dead     `bson:"dead,omitempty"`   // given up, the longest dead first
	DeadAt *time.Time `bson:"deadAt,omitempty"` // of the first of them
}

// Pending is a fact and how far it has come.
type Pending struct {
	Fact     Fact      `bson:"fact"`
	Awaiting []string  `bson:"awaiting"` // groups that have not confirmed
	Attempts int       `bson:"attempts"`
	Failing  []Failing `bson:"failing,omitempty"`
}

// Failing is a group that tried to take a fact, and failed.
type Failing struct {
	Group    string               `bson:"group"`
	Tries    int                  `bson:"tries"` // since the fact came or was replayed
	Ring     int                  `bson:"ring"`  // that the last of them answered, counted from one
	Attempts []deadletter.Attempt `bson:"attempts"`
}

// Dead is a fact that was given up for one group. For the others it goes on.
type Dead struct {
	Fact     Fact                 `bson:"fact"`
	Group    string               `bson:"group"`
	Attempts []deadletter.Attempt `bson:"attempts"`
	At       time.Time            `bson:"at"`
}

// Index is the index by which a Relay finds what is due. A collection with an
// outbox declares it, and DeadIndex.
func Index() docstore.Index {
	return docstore.Index{Name: "outbox", Fields: []string{"outbox.due"}}
}

// DeadIndex is the index by which a Relay finds what it gave up.
func DeadIndex() docstore.Index {
	return docstore.Index{Name: "outboxDead", Fields: []string{"outbox.deadAt"}}
}
