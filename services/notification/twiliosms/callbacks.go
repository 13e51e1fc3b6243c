package twiliosms

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/twilio/twilio-go/client"

	"ordergraph/platform/phone"
	"ordergraph/services/notification"
)

// A Keeper takes what the provider tells.
type Keeper interface {
	Receive(ctx context.Context, r notification.Receipt) error
	OptOut(ctx context.Context, phone string, out bool) error
}

// InboundPath is where, below the address of the callbacks, messages of
// customers arrive.
const InboundPath = "/inbound"

// maxBody is how much a callback may say, in bytes; Twilio says about 500.
const maxBody = 64 << 10

// Callbacks are the handlers that Twilio calls by POST: status, at publicURL,
// with what became of a message, and inbound, at publicURL and InboundPath,
// with what a customer wrote: STOP and the like end the messages to that
// number, START has them back.
//
// Only what is signed with one of the auth tokens is heeded, 403 is for
// everything else. The signature covers the address that Twilio called, which
// behind a proxy is not the one that is seen here. Since it holds no time, who
// has caught a request may repeat it: a status then changes nothing, for an
// older one never overwrites a newer.
func Callbacks(authTokens []string, publicURL string, k Keeper, log *slog.Logger) (status, inbound http.Handler) {
	c := &callbacks{url: strings.TrimSuffix(publicURL, "/"), keeper: k, log: log}
	for _, token := range authTokens {
		if token != "" { // anybody can sign with none
			c.validators = append(c.validators, client.NewRequestValidator(token))
		}
	}
	return http.HandlerFunc(c.status), http.HandlerFunc(c.inbound)
}

type callbacks struct {
	validators []client.RequestValidator
	url        string
	keeper     Keeper
	log        *slog.Logger
}

// statuses are Twilio's words for what we tell of. The others say that it is
// still under way.
var statuses = map[string]notification.Status{
	"sent": notification.Sent, "delivered": notification.Delivered, "read": notification.Delivered,
	"undelivered": notification.Undelivered, "failed": notification.Undelivered, "canceled": notification.Undelivered,
}

func (c *callbacks) status(w http.ResponseWriter, r *http.Request) {
	said, ok := c.signed(w, r, c.url)
	if !ok {
		return
	}
	id, status := r.URL.Query().Get("id"), statuses[said.Get("MessageStatus")]
	if id != "" && status != "" {
		receipt := notification.Receipt{ID: id, Ref: said.Get("MessageSid"), Status: status, Code: digits(said.Get("ErrorCode"))}
		err := c.keeper.Receive(r.Context(), receipt)
		// What is not known here is not going to be: there is nothing to repeat.
		if err != nil && !errors.Is(err, notification.ErrNotFound) {
			c.failed(w, r, err)
			return
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

// What customers write to be left alone, and to be told again: Twilio's own
// words, and German's.
var (
	stops  = []string{"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT", "STOPP"}
	starts = []string{"START", "YES", "UNSTOP"}
)

func (c *callbacks) inbound(w http.ResponseWriter, r *http.Request) {
	said, ok := c.signed(w, r, c.url+InboundPath)
	if !ok {
		return
	}
	word := strings.ToUpper(strings.Trim(said.Get("Body"), " \t\r\n.!\"'"))
	if kind := said.Get("OptOutType"); kind != "" {
		word = kind // Twilio has understood it already, in whichever language
	}
	out := slices.Contains(stops, word)
	number, err := phone.Parse(said.Get("From"), "")
	if err == nil && (out || slices.Contains(starts, word)) {
		if err := c.keeper.OptOut(r.Context(), number, out); err != nil {
			c.failed(w, r, err)
			return
		}
	}
	// Nothing is answered, to HELP neither: Twilio does that, in the words that
	// are set with it.
	w.Header().Set("Content-Type", "application/xml; charset=utf-8")
	_, _ = io.WriteString(w, `<?xml version="1.0" encoding="UTF-8"?>`+"\n<Response/>\n")
}

// signed is what a request says, if it is Twilio's; otherwise it is answered.
func (c *callbacks) signed(w http.ResponseWriter, r *http.Request, address string) (url.Values, bool) {
	signature := r.Header.Get("X-Twilio-Signature")
	switch {
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "only POST", http.StatusMethodNotAllowed)
		return nil, false
	case signature == "":
		http.Error(w, "not signed", http.StatusForbidden)
		return nil, false
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "too long, or broken", http.StatusRequestEntityTooLarge)
		return nil, false
	}
	if r.URL.RawQuery != "" {
		address += "?" + r.URL.RawQuery
	}
	if !slices.ContainsFunc(c.validators, func(v client.RequestValidator) bool { return v.ValidateBody(address, body, signature) }) {
		c.log.InfoContext(r.Context(), "somebody called who is not the SMS provider, or it calls another address than SMS_CALLBACK_URL")
		http.Error(w, "the signature is not right", http.StatusForbidden)
		return nil, false
	}
	// Of a name that is there twice, the signature covers the first value, and
	// so does Get.
	said, err := url.ParseQuery(string(body))
	if err != nil {
		http.Error(w, "not a form", http.StatusBadRequest)
		return nil, false
	}
	return said, true
}

// failed has the provider's own records say that we could not take it.
func (c *callbacks) failed(w http.ResponseWriter, r *http.Request, err error) {
	c.log.WarnContext(r.Context(), "what the SMS provider tells cannot be noted", "error", err)
	http.Error(w, "later", http.StatusServiceUnavailable)
}

// digits is an error's code, or nothing where it is not one.
func digits(code string) string {
	if len(code) > 9 || strings.Trim(code, "0123456789") != "" {
		return ""
	}
	return code
}
