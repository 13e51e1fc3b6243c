package order

// HeardOfMessage takes the effect of one fact of the notification service.
var HeardOfMessage = (*Keeper).heardOfMessage
