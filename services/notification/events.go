package notification

import "ordergraph/services/order"

// Topic is the stream on which the notification service rings its facts.
const Topic = order.NotificationTopic

// LiveTopic is the topic of package live on which the versions of orders'
// messages are rung. The keys are the orders' ids.
const LiveTopic = "notification"

// FactTold tells that a message about an order was sent, has arrived, cannot
// arrive, or is given up. Its key is the order's id, its data a Told.
const FactTold = order.FactTold

// Told is the data of FactTold, which the order service reads as order.Told.
type Told struct {
	ID      string  `bson:"id"` // the message's
	Kind    Kind    `bson:"kind"`
	Channel Channel `bson:"channel"`
	Status  Status  `bson:"status"` // Sent, Delivered, Undelivered or Dead
}
