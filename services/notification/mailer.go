package notification

import (
	"context"
	"fmt"
	"time"
)

// A Mailer hands mails to a provider.
type Mailer interface {
	// Send hands over one mail. nil says that the provider has taken it; any
	// other error than a Failure counts as Unreachable. It heeds the context's
	// deadline.
	Send(ctx context.Context, l Letter) error
}

// A Letter is a mail as it goes out. It is made anew for each attempt and
// kept nowhere.
type Letter struct {
	MessageID string // without angle brackets
	To        string
	Date      time.Time
	Language  string // BCP 47
	Subject   string
	Text      string
	HTML      string
	// Unsubscribe is where the reader can end mails like this one (RFC 8058);
	// "" for mails that belong to what they have bought or asked for.
	Unsubscribe string
	Attachments []Attachment
}

// An Attachment is a file that goes with a mail.
type Attachment struct {
	Name        string // "2026-000001.pdf"
	ContentType string
	Content     []byte
	Inline      string // the Content-ID under which the HTML shows it; "": it stands beside the text
}

// Outcome is what came of an attempt that did not succeed.
type Outcome string

// The outcomes, each with what follows from it.
const (
	// Refused: the provider will never take this mail. It is dead.
	Refused Outcome = "refused"
	// Deferred: not now. It is tried again, up to a number of times.
	Deferred Outcome = "deferred"
	// Unreachable: the provider takes nothing from us, whichever mail it is:
	// it is away, or does not let us in. All mails wait until it is back.
	Unreachable Outcome = "unreachable"
	// Unwanted: the provider knows that its reader wants no messages.
	Unwanted Outcome = "unwanted"
	// Unknown: the message went out and the answer got lost. What follows is
	// the channel's Policy.
	Unknown Outcome = "unknown"
)

// A Failure is a mail that the provider did not take, or may not have taken.
type Failure struct {
	Outcome Outcome
	Code    string // the provider's, such as "550 5.1.1" or "21211"; never its words, which may hold the address
	// After is how long the provider asks to be left alone; 0: it does not say.
	After time.Duration
	Down  bool  // the provider is in trouble, whatever became of this message
	Err   error // for debugging; never logged
}

// Error says what happened, without personal data.
func (f *Failure) Error() string { return fmt.Sprintf("message %s %s", f.Outcome, f.Code) }

func (f *Failure) Unwrap() error { return f.Err }

// words are what is kept of an attempt.
func (f *Failure) words() string {
	if f.Code == "" {
		return string(f.Outcome)
	}
	return string(f.Outcome) + " " + f.Code
}
