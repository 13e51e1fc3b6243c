package notification

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// A Texter hands short messages (SMS) to a provider.
type Texter interface {
	// Send hands over one message and returns the provider's own name for it.
	// Any other error than a Failure counts as Unreachable. It heeds the
	// context's deadline.
	Send(ctx context.Context, t Text) (ref string, err error)
	// Find looks for a message whose answer was lost: the provider's name for
	// it, or "" where the provider never took it. since is when the attempt
	// was made.
	Find(ctx context.Context, t Text, since time.Time) (ref string, err error)
}

// A Text is a short message as it goes out. It is made anew for each attempt
// and kept nowhere.
type Text struct {
	ID   string // the notification's, which the provider's callbacks bring back
	To   string // E.164: "+4915112345678"
	Body string
	// Words are WordsOf the body that was sent, for Find: what would be written
	// now may differ. "": the body is what was sent.
	Words string
}

// WordsOf is a digest of a message's body, by which it is known again.
func WordsOf(body string) string {
	sum := sha256.Sum256([]byte(body))
	return hex.EncodeToString(sum[:16])
}

// Is reports whether a body is that of the message.
func (t Text) Is(body string) bool {
	if t.Words == "" {
		return body == t.Body
	}
	return WordsOf(body) == t.Words
}

// A Receipt is what a provider tells of a message that it has taken.
type Receipt struct {
	ID     string // the notification's
	Ref    string // the provider's own name for the message
	Status Status // Sent, Delivered or Undelivered
	Code   string // why it was not delivered, such as "30006"; never an address
}
