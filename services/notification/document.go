package notification

import (
	"crypto/rand"
	"slices"
	"strings"
	"time"

	"ordergraph/platform/docstore"
	"ordergraph/platform/events"
)

// A document is one message to one customer: what is to be said about what,
// and how often that was tried. Its id is made of its cause. Neither the
// address nor the words are in it, let alone a secret: whoever owns them is
// asked at each attempt.
type document struct {
	docstore.Meta `bson:",inline"`

	Subject     string    `bson:"subject"`
	Kind        Kind      `bson:"kind"`
	Channel     Channel   `bson:"channel"`
	Ref         string    `bson:"ref"`               // what the owning service is asked for
	Country     string    `bson:"country,omitempty"` // ISO 3166-1, of an SMS: whose quiet hours count
	Invoice     enclosure `bson:"invoice,omitempty"` // what the mail does about it, by the last attempt
	Refund      string    `bson:"refund,omitempty"`  // the order's, that the mail is about
	MessageID   string    `bson:"messageId"`
	ProviderRef string    `bson:"providerRef,omitempty"` // the provider's own name for it
	Again       int       `bson:"again,omitempty"`       // how often it was resent
	Shown       int64     `bson:"shown"`                 // grows with every change that others see
	Status      Status    `bson:"status"`
	CreatedAt   time.Time `bson:"createdAt"`
	UpdatedAt   time.Time `bson:"updatedAt"`
	QueuedAt    time.Time `bson:"queuedAt,omitempty"` // anew, by who replayed it; zero: when it was created
	Cause       int64     `bson:"cause,omitempty"`    // the version of its order that gave cause for it; 0: not known
	Tallied     []string  `bson:"tallied,omitempty"`  // of a tally: see forget

	Attempts []Attempt `bson:"attempts,omitempty"`
	Tries    int       `bson:"tries,omitempty"`  // that count towards maxTries
	Waits    int       `bson:"waits,omitempty"`  // attempts in a row without success, for the back-off
	Doubts   int       `bson:"doubts,omitempty"` // attempts whose outcome is unknown, since it was queued
	Repeats  int       `bson:"repeats,omitempty"`
	Words    string    `bson:"words,omitempty"` // of an SMS: WordsOf the body of the last attempt, for who looks it up

	// Due is when somebody must look at it, while it is queued. While it is
	// being sent that is when the sender's lease ends, so that the sweeper
	// finds what a killed process left.
	Due    *time.Time `bson:"due,omitempty"`
	Holder string     `bson:"holder,omitempty"` // whose attempt is under way
	// DeadAt is when it was given up, and Forget when the document goes.
	DeadAt *time.Time    `bson:"deadAt,omitempty"`
	Forget *time.Time    `bson:"forget,omitempty"`
	Outbox events.Outbox `bson:"outbox"`
}

// An outline is as much of a document as tells how often it changed.
type outline struct {
	docstore.Meta `bson:",inline"`
	Shown         int64    `bson:"shown"`
	Tallied       []string `bson:"tallied,omitempty"`
}

const (
	maxAttempts = 20 // kept with a message
	// keepFor is how long a message that ended is remembered. It is longer
	// than maxAge, so that what is forgotten is never sent once more.
	keepFor = 90 * 24 * time.Hour
	maxAge  = 30 * 24 * time.Hour // what happened longer ago is no news
	maxLag  = 24 * time.Hour      // by which an SMS is stored after the mail that says the same
)

var spec = docstore.Spec{Name: "notifications", Indexes: []docstore.Index{
	{Name: "queue", Fields: []string{"channel", "due"}},
	{Name: "subject", Fields: []string{"subject", "createdAt"}},
	{Name: "dead", Fields: []string{"deadAt"}},
	{Name: "forget", Fields: []string{"forget"}},
	events.Index(), events.DeadIndex(),
}}

// newDocument is a message that is due at once. domain is the Message-ID's.
func newDocument(id, subject string, kind Kind, channel Channel, ref, domain string, now time.Time) *document {
	d := &document{
		Meta: docstore.Meta{ID: id}, Subject: subject, Kind: kind, Channel: channel, Ref: ref,
		Status: Queued, CreatedAt: now, UpdatedAt: now, Due: &now, Shown: 1,
	}
	if channel == Mail {
		d.MessageID = strings.ToLower(rand.Text()) + "@" + domain
	}
	return d
}

// orderID is the order that the message is about; "" where it is about none.
func (d *document) orderID() string {
	id, ok := strings.CutPrefix(d.Subject, OrderSubject(""))
	if !ok {
		return ""
	}
	return id
}

// seen notes a change that others see.
func (d *document) seen(now time.Time) {
	d.Shown++
	d.UpdatedAt = now
}

// begin notes an attempt that is about to be made.
func (d *document) begin(route, words string, now time.Time) {
	if d.Doubts > 0 {
		d.Repeats++
	}
	d.Words = words
	d.note(Attempt{At: now, Route: route})
	until := now.Add(leaseFor)
	d.Due, d.UpdatedAt = &until, now
}

// note keeps an attempt, or why none was made. The same reason many times is
// noted once; and what may have arrived is the last to be forgotten.
func (d *document) note(a Attempt) {
	if n := len(d.Attempts); n > 0 && a.Route == "" && d.Attempts[n-1].Route == "" && d.Attempts[n-1].Outcome == a.Outcome {
		d.Attempts[n-1].At = a.At
		return
	}
	if d.Attempts = append(d.Attempts, a); len(d.Attempts) > maxAttempts {
		oldest := max(0, slices.IndexFunc(d.Attempts, func(a Attempt) bool { return !a.unknown() }))
		d.Attempts = slices.Delete(d.Attempts, oldest, oldest+1)
	}
}

func (a *Attempt) unknown() bool { return strings.HasPrefix(a.Outcome, string(Unknown)) }

// settleLast gives the last attempt its outcome, if it has none, and reports
// whether that was so: whoever made it died, or has just come back.
func (d *document) settleLast(outcome string) bool {
	n := len(d.Attempts)
	if n == 0 || d.Attempts[n-1].Outcome != "" {
		return false
	}
	d.Attempts[n-1].Outcome = outcome
	return true
}

// doubtful is the last attempt of which nobody knows whether it succeeded, or nil.
func (d *document) doubtful() *Attempt {
	if d.Doubts == 0 {
		return nil
	}
	for i := len(d.Attempts) - 1; i >= 0; i-- {
		if d.Attempts[i].unknown() {
			return &d.Attempts[i]
		}
	}
	return nil
}

// failedBy is the route of the last attempt, if that found nobody there.
func (d *document) failedBy() string {
	if n := len(d.Attempts); n > 0 && strings.HasPrefix(d.Attempts[n-1].Outcome, string(Unreachable)) {
		return d.Attempts[n-1].Route
	}
	return ""
}

func (d *document) lastOutcome() string {
	if len(d.Attempts) == 0 {
		return ""
	}
	return d.Attempts[len(d.Attempts)-1].Outcome
}

// end says that nothing is left to do.
func (d *document) end(status Status, now time.Time) {
	forget := now.Add(keepFor)
	d.Status, d.Due, d.Holder, d.Forget, d.DeadAt = status, nil, "", &forget, nil
	if status == Dead {
		d.DeadAt = &now
	}
	d.seen(now)
}

// later has it looked at again.
func (d *document) later(wait time.Duration, now time.Time) {
	due := now.Add(wait)
	d.Waits++
	d.Due, d.Holder = &due, ""
}

// usefulFor is how long a message is of use that waits for its provider. Links
// of accounts end with their tokens. 0: as long as it takes, since it was
// promised.
func usefulFor(kind Kind, c Channel) time.Duration {
	switch {
	case kind == InvoiceFollows:
		return 0
	case c == SMS:
		return 48 * time.Hour
	}
	return 7 * 24 * time.Hour
}

// tooOld is the outcome of a message that waited until it was of no use.
const tooOld = "too old"

// askAfter is how long a provider is asked, once it is of no use any more,
// whether it took a message.
const askAfter = 48 * time.Hour

// over is for how long the message has been of no use.
func (d *document) over(now time.Time) time.Duration {
	since := d.CreatedAt
	if d.QueuedAt.After(since) {
		since = d.QueuedAt
	}
	most := usefulFor(d.Kind, d.Channel)
	if most == 0 {
		return 0
	}
	return max(0, now.Sub(since)-most)
}

// requeue gives a dead message a new life.
func (d *document) requeue(now time.Time) {
	d.QueuedAt = now
	d.Status, d.Due, d.DeadAt, d.Forget = Queued, &now, nil, nil
	d.Tries, d.Waits = 0, 0
	d.seen(now)
	d.Doubts = min(d.Doubts, 1) // that it may have arrived before is still counted
}

// view is the document as others see it. It shares nothing with d.
func (d *document) view() Notification {
	n := Notification{
		ID: d.ID, Subject: d.Subject, Kind: d.Kind, Channel: d.Channel, Status: d.Status, MessageID: d.MessageID,
		Attempts: slices.Clone(d.Attempts), Repeats: d.Repeats, CreatedAt: d.CreatedAt, UpdatedAt: d.UpdatedAt,
	}
	if d.Due != nil {
		n.NextAt = *d.Due
	}
	return n
}
