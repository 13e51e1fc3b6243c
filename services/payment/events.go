package payment

// Topic is the stream on which the payment service rings its facts.
const Topic = "payment"

// FactChanged tells that a payment came into a new state, or a refund did. Its
// key is the order's id; who hears it asks Get for the payment.
const FactChanged = "payment.changed"
