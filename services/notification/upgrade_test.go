package notification_test

import (
	"strings"
	"testing"
	"time"

	"ordergraph/platform/docstore"
	"ordergraph/platform/docstore/docstoretest"
	"ordergraph/services/notification"
	"ordergraph/services/notification/notificationtest"
	"ordergraph/services/order"
)

// An earlier message is one as it was stored before there were SMS, and before
// refunds were told of one by one.
type earlier struct {
	docstore.Meta `bson:",inline"`

	Subject   string     `bson:"subject"`
	Kind      string     `bson:"kind"`
	Channel   string     `bson:"channel"`
	Ref       string     `bson:"ref"`
	MessageID string     `bson:"messageId"`
	Status    string     `bson:"status"`
	CreatedAt time.Time  `bson:"createdAt"`
	UpdatedAt time.Time  `bson:"updatedAt"`
	Due       *time.Time `bson:"due,omitempty"`
}

// What an earlier version stored and did not send yet is sent, and what it has
// told is not told again.
func TestEarlierMessages(t *testing.T) {
	w := notificationtest.NewShop(t)
	got := w.Shop.Buy(w.Shop.Input(w.Shop.Cart("mug"), func(in *order.CheckoutInput) { in.Email, in.Locale = "grace@example.org", "en" }))
	_, err := w.Shop.Orders.Cancel(t.Context(), notificationtest.Ourselves, order.CancelInput{OrderID: got.Order.ID})
	w.Must(err)
	w.Shop.Settle(got.Order.ID)
	o := w.Shop.WantOrder(got.Order.ID, order.Refunded, "")

	store, now := docstoretest.Memory(t), w.Clock.Now()
	docs, err := docstore.Open[earlier](t.Context(), store, docstore.Spec{Name: "notifications", Indexes: []docstore.Index{
		{Name: "due", Fields: []string{"due"}}, {Name: "subject", Fields: []string{"subject", "createdAt"}},
		{Name: "dead", Fields: []string{"deadAt"}}, {Name: "forget", Fields: []string{"forget"}},
	}})
	w.Must(err)
	for kind, due := range map[string]*time.Time{"confirmed": nil, "cancelled": nil, "refunded": &now} {
		status := "QUEUED"
		if due == nil {
			status = "SENT"
		}
		w.Must(docs.Insert(t.Context(), &earlier{
			Meta: docstore.Meta{ID: "order:" + o.ID + ":" + kind}, Subject: "order:" + o.ID, Kind: kind, Channel: "MAIL", Ref: o.ID,
			MessageID: kind + "@ordergraph.localhost", Status: status, CreatedAt: now, UpdatedAt: now, Due: due,
		}))
	}

	w.Clock.Pass(2 * 24 * time.Hour)
	k := w.Copy(store, nil)
	w.Must(k.HearOrder(t.Context(), notificationtest.Changed(&o)))
	w.Must(k.Sweep(t.Context()))
	mails := w.Post.Messages("")
	if len(mails) != 1 || mails[0].MessageID != "<refunded@ordergraph.localhost>" || !strings.Contains(plainSpaces(mails[0].Text), "14.90") {
		t.Errorf("%d mails: %+v", len(mails), mails)
	}
	if texts := w.Phone.Messages(""); len(texts) != 0 {
		t.Errorf("days after the mails: %+v", texts)
	}
	all, err := k.OfOrder(t.Context(), notificationtest.Ourselves, o.ID, "")
	if err != nil || len(all.Notifications) != 3 || all.Version < 2 {
		t.Errorf("%+v, %v", all, err)
	}
}

// A shop that begins to send SMS does not tell by them what has been told.
func TestTextsBegin(t *testing.T) {
	w := notificationtest.NewShop(t)
	o := buy(w)
	without := w.Copy(w.Store, nil, func(o *notification.Options) { o.Texters = nil })
	w.Must(without.HearOrder(t.Context(), notificationtest.Changed(&o)))
	if all := messages(w, o); len(all) != 1 {
		t.Fatalf("%+v", all)
	}
	w.Clock.Pass(25 * time.Hour)
	w.Must(w.HearOrder(t.Context(), notificationtest.Changed(&o)))
	if all := messages(w, o); len(all) != 1 {
		t.Errorf("a day later: %+v", all)
	}

	// What was interrupted between the two is made good.
	o = buy(w)
	w.Must(without.HearOrder(t.Context(), notificationtest.Changed(&o)))
	w.Clock.Pass(time.Hour)
	w.Must(w.HearOrder(t.Context(), notificationtest.Changed(&o)))
	if all := messages(w, o); len(all) != 2 {
		t.Errorf("an hour later: %+v", all)
	}
}
