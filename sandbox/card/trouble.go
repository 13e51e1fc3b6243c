package card

import "fmt"

// trouble is an error in Stripe's shape. It is also kept with an intent whose
// last charge was refused.
type trouble struct {
	status int

	Type        string `json:"type" bson:"type"`
	Code        string `json:"code,omitempty" bson:"code,omitempty"`
	DeclineCode string `json:"decline_code,omitempty" bson:"declineCode,omitempty"`
	Message     string `json:"message" bson:"message"`
	Param       string `json:"param,omitempty" bson:"param,omitempty"`
	Charge      string `json:"charge,omitempty" bson:"charge,omitempty"`
	Intent      object `json:"payment_intent,omitempty" bson:"-"`
}

func (t *trouble) body() string { return encode(object{"error": t}) }

func invalid(code, param, message string, args ...any) *trouble {
	return &trouble{status: 400, Type: "invalid_request_error", Code: code, Param: param, Message: fmt.Sprintf(message, args...)}
}

func missing(kind, id string) *trouble {
	return &trouble{status: 404, Type: "invalid_request_error", Code: "resource_missing", Param: "intent", Message: fmt.Sprintf("No such %s: '%s'", kind, id)}
}

func unexpectedState(d *intent, verb string) *trouble {
	t := invalid("payment_intent_unexpected_state", "", "This PaymentIntent could not be %s because it has a status of %s.", verb, d.Status)
	t.Intent = d.json(false)
	return t
}

var (
	noKey      = &trouble{status: 401, Type: "invalid_request_error", Message: "You did not provide an API key."}
	badKey     = &trouble{status: 401, Type: "invalid_request_error", Message: "Invalid API Key provided."}
	noSuchPath = &trouble{status: 404, Type: "invalid_request_error", Message: "Unrecognized request URL."}
	keyInUse   = &trouble{status: 409, Type: "idempotency_error", Code: "idempotency_key_in_use", Message: "There is currently another in-progress request using this idempotency key. Please try again later."}
	keyReused  = &trouble{status: 400, Type: "idempotency_error", Message: "Keys for idempotent requests can only be used with the same parameters they were first used with."}
	tooMany    = &trouble{status: 429, Type: "invalid_request_error", Code: "rate_limit", Message: "Request rate limit exceeded."}
	apiError   = &trouble{status: 500, Type: "api_error", Message: "An unknown error occurred."}
)
