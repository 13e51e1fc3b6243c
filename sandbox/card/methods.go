package card

// A method is a test card: how it looks, and what its bank says.
type method struct {
	brand, last4 string
	declines     *trouble
	action       bool   // the customer must confirm
	slow         bool   // the bank takes its time
	answerLost   bool   // the first answer to each operation never arrives
	down         bool   // the first attempts find nobody there
	refunds      string // "": at once; pending: later; failed: said to succeed, fails later
}

func declined(code, declineCode, message string) *trouble {
	return &trouble{status: 402, Type: "card_error", Code: code, DeclineCode: declineCode, Message: message}
}

// The test cards. All but the last three are Stripe's own names with Stripe's
// own behaviour, so that the same tests run against Stripe's test mode; see
// https://docs.stripe.com/testing.
var methods = func() map[string]method {
	insufficient := declined("card_declined", "insufficient_funds", "Your card has insufficient funds.")
	generic := declined("card_declined", "generic_decline", "Your card was declined.")
	return map[string]method{
		"pm_card_visa":                                 {brand: "visa", last4: "4242"},
		"pm_card_visa_debit":                           {brand: "visa", last4: "5556"},
		"pm_card_mastercard":                           {brand: "mastercard", last4: "4444"},
		"pm_card_amex":                                 {brand: "amex", last4: "8431"},
		"pm_card_discover":                             {brand: "discover", last4: "9424"},
		"pm_card_pendingRefund":                        {brand: "visa", last4: "7726", refunds: pending},
		"pm_card_refundFail":                           {brand: "visa", last4: "5126", refunds: failed},
		"pm_card_threeDSecure2Required":                {brand: "visa", last4: "3220", action: true},
		"pm_card_authenticationRequired":               {brand: "visa", last4: "3184", action: true},
		"pm_card_visa_chargeDeclined":                  {brand: "visa", last4: "0002", declines: generic},
		"pm_card_chargeDeclined":                       {brand: "visa", last4: "0002", declines: generic},
		"pm_card_visa_chargeDeclinedInsufficientFunds": {brand: "visa", last4: "9995", declines: insufficient},
		"pm_card_chargeDeclinedInsufficientFunds":      {brand: "visa", last4: "9995", declines: insufficient},
		"pm_card_visa_chargeDeclinedLostCard":          {brand: "visa", last4: "9987", declines: declined("card_declined", "lost_card", "Your card was declined.")},
		"pm_card_visa_chargeDeclinedStolenCard":        {brand: "visa", last4: "9979", declines: declined("card_declined", "stolen_card", "Your card was declined.")},
		"pm_card_chargeDeclinedExpiredCard":            {brand: "visa", last4: "0069", declines: declined("expired_card", "expired_card", "Your card has expired.")},
		"pm_card_chargeDeclinedIncorrectCvc":           {brand: "visa", last4: "0127", declines: declined("incorrect_cvc", "incorrect_cvc", "Your card's security code is incorrect.")},
		"pm_card_chargeDeclinedProcessingError":        {brand: "visa", last4: "0119", declines: declined("processing_error", "processing_error", "An error occurred while processing your card. Try again in a little bit.")},
		// Ours.
		"pm_card_slow":          {brand: "visa", last4: "4242", slow: true},
		"pm_card_answerLost":    {brand: "visa", last4: "4242", answerLost: true},
		"pm_card_processorDown": {brand: "visa", last4: "4242", down: true},
	}
}()
