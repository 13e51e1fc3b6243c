package account

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"ordergraph/platform/docstore"
	"ordergraph/platform/events"
	"ordergraph/platform/identity"
)

const (
	mailsPerHour = 3              // of a kind, that anybody can cause for one address
	mailKept     = 24 * time.Hour // of a message without a link
	maxMails     = 200            // kept; more than can be caused within mailKept
)

// mayMail is docstore.Unchanged where the account has had enough mail of the
// kind. Each kind counts for itself: who has others sent does not keep the
// owner from a link, and the links that they have sent are the owner's too.
func (d *accountDoc) mayMail(now time.Time, kind MailKind) error {
	if count(d.Mails, func(m mailDoc) bool { return m.Kind == kind && now.Sub(m.At) < time.Hour }) >= mailsPerHour {
		return docstore.Unchanged
	}
	return nil
}

// mail adds a message that anybody can cause, unless there were enough: then
// it is docstore.Unchanged.
func (k *Keeper) mail(d *accountDoc, now time.Time, kind MailKind, l *link) error {
	if err := d.mayMail(now, kind); err != nil {
		return err
	}
	k.mustMail(d, now, kind, l)
	return nil
}

// mustMail adds a message to the account that is about to be written.
func (k *Keeper) mustMail(d *accountDoc, now time.Time, kind MailKind, l *link) {
	m := mailDoc{ID: rand.Text()[:16], Kind: kind, At: now, Expires: now.Add(mailKept)}
	if l != nil {
		m.Link, m.Expires = l.ID, l.Expires
	}
	if d.Mails = append(d.Mails, m); len(d.Mails) > maxMails {
		d.Mails = d.Mails[len(d.Mails)-maxMails:]
	}
	d.prune(now)
	k.fact(d, now, FactMail, MailDue{ID: d.ID + "." + m.ID, Kind: kind})
}

// fact puts a fact into the account that is about to be written.
func (k *Keeper) fact(d *accountDoc, now time.Time, kind string, about any) {
	if len(k.o.Listeners) == 0 {
		return
	}
	data, err := bson.Marshal(about)
	if err != nil {
		panic(fmt.Sprintf("account: encode a fact: %v", err)) // plain fields always encode
	}
	d.Outbox.Add(now, events.Fact{
		ID: fmt.Sprintf("%s:%d:%s", d.ID, d.Version+1, kind), Type: kind, Doc: d.ID, Key: d.ID, At: now, Data: data,
	}, k.o.Listeners...)
}

// Mail returns a message that is due, with the token of its link.
func (k *Keeper) Mail(ctx context.Context, who identity.Caller, id string) (Mail, error) {
	if !who.Is(identity.System) {
		return Mail{}, ErrForbidden
	}
	accountID, mailID, _ := strings.Cut(id, ".")
	doc, err := k.account(ctx, accountID)
	if errors.Is(err, ErrNotFound) {
		return Mail{}, ErrNoMail
	}
	if err != nil {
		return Mail{}, err
	}
	doc.prune(k.now())
	for _, m := range doc.Mails {
		if m.ID != mailID {
			continue
		}
		out := Mail{
			ID: id, Kind: m.Kind, CustomerID: doc.ID, Email: doc.Email, FirstName: doc.Profile.FirstName, Locale: doc.Profile.Locale,
			CreatedAt: m.At, Expires: m.Expires,
		}
		if m.Link == "" {
			return out, nil
		}
		l := doc.link(m.Link)
		if l == nil || l.Used {
			break
		}
		if l.Profile != nil {
			out.FirstName, out.Locale = l.Profile.FirstName, l.Profile.Locale
		}
		out.Token, out.Expires = k.tokenOf(doc.ID, l), l.Expires
		return out, nil
	}
	return Mail{}, ErrNoMail
}
