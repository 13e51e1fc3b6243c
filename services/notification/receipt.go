package notification

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"ordergraph/platform/docstore"
)

// Receive notes what a provider tells of a message that it has taken. It may
// come twice, late, in any order, and before our own note that the message was
// sent: what is known already stays, and what is news is kept. ErrNotFound:
// there is no such message. ErrInput.
func (k *Keeper) Receive(ctx context.Context, r Receipt) error {
	switch {
	case r.Status != Sent && r.Status != Delivered && r.Status != Undelivered:
		return ErrInput.Field("status").Say("A receipt says %s, %s or %s.", Sent, Delivered, Undelivered)
	case r.ID == "" || len(r.ID) > longestID:
		return ErrNotFound
	}
	news, before := false, Queued
	d, err := k.docs.Update(ctx, r.ID, func(d *document) error {
		before = d.Status
		if news = d.receive(r); !news {
			return docstore.Unchanged
		}
		k.end(d, r.Status, k.now())
		return nil
	})
	if errors.Is(err, docstore.ErrNotFound) {
		return ErrNotFound
	}
	if err != nil || !news {
		return err
	}
	counts := &k.channel(d.Channel).counts
	if before == Queued || before == Dead {
		counts.sent.Add(1)
	}
	switch d.Status {
	case Delivered:
		counts.delivered.Add(1)
	case Undelivered:
		counts.undelivered.Add(1)
	}
	k.ended(&d)
	k.changed(&d)
	return nil
}

// receive takes a receipt, and reports whether it is news.
//
// The message may have been repeated after an answer was lost, and the two
// have receipts of their own. So one that arrived makes good for another that
// did not, and never the other way round.
func (d *document) receive(r Receipt) bool {
	switch d.Status {
	case Queued, Dead: // we did not know that it was taken
		if d.Status == Dead && r.Status == Undelivered || len(d.Attempts) == 0 {
			return false
		}
	case Sent:
		if r.Status == Sent {
			return false
		}
	case Undelivered:
		if r.Status != Delivered || r.Ref == d.ProviderRef {
			return false
		}
	default:
		return false
	}
	outcome := "sent"
	if r.Status == Undelivered {
		outcome = "undelivered"
		if r.Code != "" {
			outcome += " " + r.Code
		}
	}
	if n := len(d.Attempts); n > 0 {
		d.Attempts[n-1].Outcome = outcome
	}
	d.ProviderRef = r.Ref
	return true
}

// An optOut says that a number wants no SMS. Its id is the number's SHA-256,
// so that no numbers lie here to be read.
type optOut struct {
	docstore.Meta `bson:",inline"`
	At            time.Time `bson:"at"`
}

var optOutSpec = docstore.Spec{Name: "optouts"}

func optOutID(phone string) string {
	sum := sha256.Sum256([]byte(phone))
	return hex.EncodeToString(sum[:])
}

// OptOut notes that the owner of a number wants no SMS any more, or wants them
// again. What waits for that number is not sent. phone is E.164: ErrInput.
func (k *Keeper) OptOut(ctx context.Context, phone string, out bool) error {
	if !isE164(phone) {
		return ErrInput.Field("phone").Say("A phone number begins with + and the country, like +4915112345678.")
	}
	var err error
	if out {
		_, err = k.optOuts.Upsert(ctx, optOutID(phone), func(o *optOut) error {
			if o.Version > 0 {
				return docstore.Unchanged
			}
			o.At = k.now()
			return nil
		})
	} else {
		err = k.optOuts.Delete(ctx, optOutID(phone), nil)
	}
	if err != nil {
		return fmt.Errorf("opt-out: %w", err)
	}
	return nil
}

// optedOut reports whether a number wants no SMS.
func (k *Keeper) optedOut(ctx context.Context, phone string) (bool, error) {
	_, err := k.optOuts.Get(ctx, optOutID(phone))
	if errors.Is(err, docstore.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// isE164 is the form alone; that nobody has the number does no harm here.
func isE164(phone string) bool {
	if len(phone) < 8 || len(phone) > 16 || phone[0] != '+' || phone[1] == '0' {
		return false
	}
	for _, c := range phone[1:] {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
