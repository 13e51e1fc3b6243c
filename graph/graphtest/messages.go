package graphtest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"ordergraph/platform/docstore/docstoretest"
	"ordergraph/platform/events"
	"ordergraph/platform/identity"
	"ordergraph/platform/live"
	"ordergraph/sandbox/twilio"
	"ordergraph/services/notification"
	"ordergraph/services/notification/notificationtest"
	"ordergraph/services/notification/smtpmail"
	"ordergraph/services/notification/twiliosms"
	"ordergraph/services/order"
)

// openMessages opens the notification service, over the sandbox's mail server
// and its Twilio, which tells what became of messages.
func (s *Shop) openMessages(ctx context.Context, bell *live.Bell) {
	s.t.Helper()
	const from = "Try-out <shop@ordergraph.localhost>"
	post, dial := notificationtest.Post(s.t)
	mailer, err := smtpmail.New(smtpmail.Options{URL: "smtp://localhost", From: from, Dial: dial})
	s.must(err)
	s.Post = post

	const account, secret = "AC00000000000000000000000000000000", "graphtoken"
	phones, err := twilio.New(twilio.Options{Account: account, Token: secret, Step: 20 * time.Millisecond})
	s.must(err)
	s.work(phones.Run)
	api, callbacks := http.NewServeMux(), http.NewServeMux()
	phones.Routes(api)
	server, told := httptest.NewServer(api), httptest.NewServer(callbacks)
	s.t.Cleanup(func() { phones.Close(); server.Close(); told.Close() })
	texter, err := twiliosms.New(twiliosms.Options{AccountSID: account, AuthToken: secret, From: "+15005550006", URL: server.URL, CallbackURL: told.URL})
	s.must(err)
	s.t.Cleanup(texter.Close)

	s.Messages, err = notification.New(ctx, notification.Options{
		Store: docstoretest.Memory(s.t), Bell: bell, Mailers: []notification.Mailer{mailer}, Texters: []notification.Texter{texter},
		Accounts: s.Accounts, Orders: s.Order, Invoices: s.Invoice, From: from, PublicURL: PublicURL,
	})
	s.must(err)
	status, _ := twiliosms.Callbacks([]string{secret}, told.URL, s.Messages, nil)
	callbacks.Handle("/", status)
}

// Tell lets the notification service hear of an order, by its global id, and
// send what is due; the order hears of that.
func (s *Shop) Tell(globalID string) {
	s.t.Helper()
	id := globalID[strings.LastIndexByte(globalID, '/')+1:]
	s.must(s.Messages.HearOrder(context.Background(), events.Fact{ID: id, Type: order.FactChanged, Doc: id, Key: id}))
	s.Deliver()
	told, err := s.Messages.List(context.Background(), identity.Ourselves(), notification.OrderSubject(id))
	s.must(err)
	for _, n := range told {
		data, err := bson.Marshal(order.Told{ID: n.ID, Kind: string(n.Kind), Channel: string(n.Channel), Status: string(n.Status)})
		s.must(err)
		s.must(s.Order.HearMessage(context.Background(), events.Fact{ID: n.ID, Type: order.FactTold, Doc: n.ID, Key: id, At: n.UpdatedAt, Data: data}))
	}
}

// Deliver sends what is due.
func (s *Shop) Deliver() {
	s.t.Helper()
	s.must(s.Messages.Sweep(context.Background()))
}
