package twilio

import (
	"fmt"
	"net/http"
)

// trouble is an error in Twilio's shape.
type trouble struct {
	Code     int    `json:"code"`
	Message  string `json:"message"`
	MoreInfo string `json:"more_info"`
	Status   int    `json:"status"`
}

func refusal(status, code int, message string, args ...any) *trouble {
	return &trouble{code, fmt.Sprintf(message, args...), fmt.Sprintf("https://www.twilio.com/docs/errors/%d", code), status}
}

func wrong(code int, message string, args ...any) *trouble {
	return refusal(http.StatusBadRequest, code, message, args...)
}

func notFound(path string) *trouble {
	return refusal(http.StatusNotFound, 20404, "The requested resource %s was not found", path)
}

var (
	unknownCaller = refusal(http.StatusUnauthorized, 20003, "Authenticate")
	tooMany       = refusal(http.StatusTooManyRequests, 20429, "Too Many Requests")
	serverError   = refusal(http.StatusInternalServerError, 20500, "An internal server error has occurred")
	unsubscribed  = wrong(21610, "Attempt to send to unsubscribed recipient")
)
