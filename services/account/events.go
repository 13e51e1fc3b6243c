package account

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"

	"ordergraph/platform/events"
)

// Topic is the stream on which the account service rings its facts.
const Topic = "account"

// FactMail tells that a message to somebody is due. Its key is the account's
// id, its data a MailDue; who hears it asks Mail for the message.
const FactMail = "account.mail"

// MailDue is the data of FactMail.
type MailDue struct {
	ID   string   `bson:"id"` // for Mail; not a secret
	Kind MailKind `bson:"kind"`
}

// FactErased tells that somebody asked to be forgotten. Its key is the
// account's id, its data an Erased. Who hears it forgets what the law does not
// want kept.
const FactErased = "account.erased"

// Erased is the data of FactErased.
type Erased struct {
	CustomerID string `bson:"customerId"`
}

// OnErased is what listens to Topic for somebody who has to forget, and passes
// by what else is rung there.
func OnErased(forget func(ctx context.Context, customerID string) error) events.Handler {
	return func(ctx context.Context, fact events.Fact) error {
		if fact.Type != FactErased {
			return nil
		}
		var erased Erased
		if err := bson.Unmarshal(fact.Data, &erased); err != nil {
			return err
		}
		return forget(ctx, erased.CustomerID)
	}
}

// LiveTopic is where the Bell is rung when a session ends: the key is the
// session's id, and the version SessionOver.
const LiveTopic = "session"

// The versions that a session has for who watches it.
const (
	SessionLives = 1
	SessionOver  = 2
)
