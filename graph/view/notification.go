package view

import (
	"strings"
	"time"

	"ordergraph/graph/gid"
	"ordergraph/services/notification"
	"ordergraph/services/order"
)

// OrderNotifications are the messages about one order.
type OrderNotifications struct {
	of notification.OrderMessages
}

// NewOrderNotifications shows the messages about an order, which must not
// change any more.
func NewOrderNotifications(all notification.OrderMessages) *OrderNotifications {
	return &OrderNotifications{all}
}

// OrderID is the order's global id.
func (n *OrderNotifications) OrderID() string { return idOf(gid.Order, n.of.OrderID) }

// Version grows with every change.
func (n *OrderNotifications) Version() int64 { return n.of.Version }

// Notifications are the messages, oldest first.
func (n *OrderNotifications) Notifications() []Notification {
	return NewNotifications(n.of.Notifications)
}

// Notification is one message to one customer.
type Notification struct{ of *notification.Notification }

// NewNotification shows a message, which must not change any more.
func NewNotification(n *notification.Notification) *Notification { return &Notification{n} }

// NewNotifications shows several.
func NewNotifications(all []notification.Notification) []Notification {
	shown := make([]Notification, len(all))
	for i := range all {
		shown[i] = Notification{&all[i]}
	}
	return shown
}

// ID is the global id.
func (n *Notification) ID() string { return idOf(gid.Notification, n.of.ID) }

// Kind is what it says.
func (n *Notification) Kind() string { return kindOf(string(n.of.Kind)) }

// kindOf is a kind of message as the schema's enum has it.
func kindOf(kind string) string { return strings.ToUpper(kind) }

// Channel is the way it takes.
func (n *Notification) Channel() string { return string(n.of.Channel) }

// Status is how far it has come.
func (n *Notification) Status() string { return string(n.of.Status) }

// CreatedAt is when there was cause for it.
func (n *Notification) CreatedAt() time.Time { return n.of.CreatedAt }

// UpdatedAt is when it last changed.
func (n *Notification) UpdatedAt() time.Time { return n.of.UpdatedAt }

// Attempts are what was tried.
func (n *Notification) Attempts() []NotificationAttempt {
	attempts := make([]NotificationAttempt, len(n.of.Attempts))
	for i := range attempts {
		attempts[i] = NotificationAttempt{&n.of.Attempts[i]}
	}
	return attempts
}

// NextAttemptAt is null unless it is queued.
func (n *Notification) NextAttemptAt() *time.Time {
	if n.of.NextAt.IsZero() {
		return nil
	}
	return &n.of.NextAt
}

// NotificationAttempt is one try to send a message.
type NotificationAttempt struct{ of *notification.Attempt }

// At is when it was made.
func (a *NotificationAttempt) At() time.Time { return a.of.At }

// Route is the provider it went to.
func (a *NotificationAttempt) Route() *string { return orNil(a.of.Route) }

// Outcome is null while it is not known.
func (a *NotificationAttempt) Outcome() *string { return orNil(a.of.Outcome) }

// NotificationUserError is why something was not done with a notification.
type NotificationUserError struct {
	Code    *string
	Field   []string
	Message string
}

// IsDisplayableError marks it.
func (NotificationUserError) IsDisplayableError() {}

// Progress is how far those have come who work for the order.
func (o *Order) Progress() *OrderProgress { return &OrderProgress{o.of} }

// OrderProgress is what an order has heard of those who work for it.
type OrderProgress struct{ of *order.Order }

// Parcels are the consignments, counted.
func (p *OrderProgress) Parcels() *OrderParcels { return &OrderParcels{&p.of.Parcels} }

// Documents are the invoice and credit notes that can be had.
func (p *OrderProgress) Documents() []OrderDocument {
	documents := make([]OrderDocument, len(p.of.Papers))
	for i, paper := range p.of.Papers {
		documents[i] = OrderDocument{Kind: string(paper.Kind), ReadyAt: paper.At}
	}
	return documents
}

// Messages are the latest of each kind and channel.
func (p *OrderProgress) Messages() []OrderMessage {
	messages := make([]OrderMessage, len(p.of.Messages))
	for i, m := range p.of.Messages {
		messages[i] = OrderMessage{Kind: kindOf(m.Kind), Channel: m.Channel, Status: m.Status, At: m.At}
	}
	return messages
}

// OrderParcels are an order's consignments, counted.
type OrderParcels struct{ of *order.Progress }

// Total is all that were not called off.
func (p *OrderParcels) Total() int64 { return p.of.Consignments }

// Begun is those that are being picked, or have come further.
func (p *OrderParcels) Begun() int64 { return p.of.Begun }

// Shipped is those on their way.
func (p *OrderParcels) Shipped() int64 { return p.of.Shipped }

// Delivered is those that have arrived.
func (p *OrderParcels) Delivered() int64 { return p.of.Delivered }

// Failed is those that could not be delivered.
func (p *OrderParcels) Failed() int64 { return p.of.Failed }

// Returned is those that came back.
func (p *OrderParcels) Returned() int64 { return p.of.Returned }

// OrderDocument is an invoice or credit note that can be had.
type OrderDocument struct {
	Kind    string
	ReadyAt time.Time
}

// OrderMessage is how far a message about an order has come.
type OrderMessage struct {
	Kind    string
	Channel string
	Status  string
	At      time.Time
}
