package graphtest

import (
	"context"
	"strings"

	"ordergraph/platform/docstore/docstoretest"
	"ordergraph/platform/events"
	"ordergraph/platform/live"
	"ordergraph/services/notification"
	"ordergraph/services/notification/notificationtest"
	"ordergraph/services/notification/smtpmail"
	"ordergraph/services/order"
)

// openMessages opens the notification service, over the sandbox's mail server.
func (s *Shop) openMessages(ctx context.Context, bell *live.Bell) {
	s.t.Helper()
	const from = "Try-out <shop@ordergraph.localhost>"
	post, dial := notificationtest.Post(s.t)
	mailer, err := smtpmail.New(smtpmail.Options{URL: "smtp://localhost", From: from, Dial: dial})
	s.must(err)
	s.Post = post
	s.Messages, err = notification.New(ctx, notification.Options{
		Store: docstoretest.Memory(s.t), Bell: bell, Mailers: []notification.Mailer{mailer},
		Accounts: s.Accounts, Orders: s.Order, Invoices: s.Invoice, From: from, PublicURL: PublicURL,
	})
	s.must(err)
}

// Tell lets the notification service hear of an order, by its global id, and
// send what is due.
func (s *Shop) Tell(globalID string) {
	s.t.Helper()
	id := globalID[strings.LastIndexByte(globalID, '/')+1:]
	s.must(s.Messages.HearOrder(context.Background(), events.Fact{ID: id, Type: order.FactChanged, Doc: id, Key: id}))
	s.Deliver()
}

// Deliver sends what is due.
func (s *Shop) Deliver() {
	s.t.Helper()
	s.must(s.Messages.Sweep(context.Background()))
}
