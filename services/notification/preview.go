package notification

import (
	"cmp"
	"slices"
	"sync/atomic"
	"time"

	"ordergraph/platform/fault"
	"ordergraph/platform/money"
	"ordergraph/services/account"
	"ordergraph/services/cart"
	"ordergraph/services/fulfilment"
	"ordergraph/services/order"
)

// ErrNoMessage is a message that is never sent.
var ErrNoMessage = fault.New(fault.NotFound, "notification.no_message", "There is no such message.")

// A Template is one of the messages that the shop sends.
type Template struct {
	Kind    Kind
	Channel Channel
}

// Templates are all of them.
func Templates() []Template {
	var all []Template
	for _, kind := range []Kind{
		OrderConfirmed, InvoiceFollows, OrderFailed, OrderShipped, OrderDelivered, OrderCancelled, OrderRefunded,
		Verify, AlreadyRegistered, Reset, Invite, PasswordChanged,
	} {
		all = append(all, Template{kind, Mail})
		switch kind {
		case OrderConfirmed, OrderFailed, OrderShipped, OrderDelivered, OrderCancelled:
			all = append(all, Template{kind, SMS})
		}
	}
	return all
}

// Languages are those that messages are written in; others get the first.
func Languages() []string {
	var all []string
	for _, tag := range languages {
		all = append(all, tag.String())
	}
	return all
}

// A Sample asks for a message as it would be sent, about somebody and something
// made up.
type Sample struct {
	Template
	Language    string // BCP 47; "" is English
	InvoiceSoon bool   // the confirmation goes out before the invoice is ready
	ShopName    string
	PublicURL   string
	OrderPage   string // see Options
	Logo        []byte
}

// A Shown message is what a customer would get.
type Shown struct {
	Language string // that it is written in
	Letter   Letter // of Mail
	Text     Text   // of SMS
	Segments int    // that Text is paid for as
	Missing  bool   // there is no such language, and another stands in
}

// Preview writes a message. ErrNoMessage.
func Preview(s Sample) (Shown, error) {
	if !slices.Contains(Templates(), s.Template) {
		return Shown{}, ErrNoMessage
	}
	words, err := loadWords()
	if err != nil {
		return Shown{}, err
	}
	var missing atomic.Int64
	a := &author{
		words: words, shop: cmp.Or(s.ShopName, "Harbour Store"), publicURL: cmp.Or(s.PublicURL, "https://shop.example"),
		orderPage: s.OrderPage, logo: s.Logo, missing: &missing,
	}
	now := time.Date(2026, 7, 1, 9, 30, 0, 0, time.UTC)
	var shown Shown
	about := sample(s, now)
	switch s.Channel {
	case SMS:
		shown.Text, err = a.text(about)
		shown.Segments = segments(shown.Text.Body)
		shown.Language = a.voice(s.Language).tag.String()
	default:
		switch s.Kind {
		case Verify, AlreadyRegistered, Reset, Invite, PasswordChanged:
			shown.Letter, err = a.account(sampleMail(s, now), s.Kind, now)
		default:
			shown.Letter, err = a.order(about)
		}
		shown.Letter.MessageID, shown.Letter.Date = "sample@ordergraph.localhost", now
		shown.Language = shown.Letter.Language
	}
	shown.Missing = missing.Load() > 0
	return shown, err
}

func sampleMail(s Sample, now time.Time) account.Mail {
	m := account.Mail{Email: "ada@example.com", FirstName: "Ada", Locale: s.Language, Expires: now.Add(24 * time.Hour)}
	if _, ok := pages[s.Kind]; ok {
		m.Token = "K7M24QXDPR5T3VWNB8JC"
	}
	return m
}

func sample(s Sample, now time.Time) occasion {
	euro := func(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: "EUR"} }
	item := func(title, variant string, price, n int64) cart.Line {
		return cart.Line{Item: cart.Item{Title: title, VariantTitle: variant, Price: euro(price)}, Quantity: n, Total: euro(price * n)}
	}
	lines := []cart.Line{item("Harbour Mug", "Blue", 1490, 2), item("Linen Tea Towel", "", 1200, 1)}
	o := order.Order{
		ID: "0198c0de-0000-7000-8000-000000000001", Number: "K7M2-4QXD", Status: order.Confirmed, Reason: order.ReasonNotConfirmed,
		CreatedAt: now, UpdatedAt: now, CustomerID: "ada", Email: "ada@example.com", Phone: "+491701234567", Locale: cmp.Or(s.Language, "en"),
		ShippingAddress: order.Address{FirstName: "Ada", LastName: "Lovelace", Address1: "Hafenstrasse 1", Zip: "20359", City: "Hamburg", Country: "DE"},
		Quote: cart.Quote{Lines: lines, Rate: &cart.ShippingRate{Title: "Standard", Price: euro(490)}, Cost: cart.Cost{
			Subtotal: euro(4180), Shipping: euro(490), Tax: euro(746), TaxIncluded: true, Total: euro(4670),
		}},
		Payment:     order.PaymentView{Brand: "visa", Last4: "4242", Captured: euro(4670), Refunded: euro(4670)},
		AccessToken: "K7M24QXDPR5T3VWNB8JC",
	}
	o.BillingAddress = o.ShippingAddress
	about := occasion{kind: s.Kind, order: o, invoice: enclosed, refund: order.Refund{ID: "1", Amount: euro(4670)}, parcels: []fulfilment.Consignment{{
		Lines:    []fulfilment.Line{{Title: "Harbour Mug", Quantity: 2}, {Title: "Linen Tea Towel", Quantity: 1}},
		Tracking: &fulfilment.Tracking{Company: "Sandbox Parcels", Number: "SP123456789DE", URL: "https://parcels.example/SP123456789DE"},
	}}}
	if s.InvoiceSoon {
		about.invoice = promised
	}
	return about
}
