package twiliosms_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"ordergraph/services/notification"
	"ordergraph/services/notification/notificationtest"
	"ordergraph/services/notification/twiliosms"
)

const otherToken = "fedcba9876543210fedcba9876543210"

// sign is Twilio's signature of a form that is posted to an address, written
// after https://www.twilio.com/docs/usage/security.
func sign(token, address string, form url.Values) string {
	text := address
	for _, name := range slices.Sorted(maps.Keys(form)) {
		text += name + form.Get(name)
	}
	mac := hmac.New(sha1.New, []byte(token))
	mac.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// An ear hears what a keeper is told, which heeds it all the same.
type ear struct {
	*notification.Keeper
	receipts []notification.Receipt
	opted    map[string]bool
	fails    error
}

func (e *ear) Receive(ctx context.Context, r notification.Receipt) error {
	e.receipts = append(e.receipts, r)
	if e.fails != nil {
		return e.fails
	}
	return e.Keeper.Receive(ctx, r)
}

func (e *ear) OptOut(ctx context.Context, phone string, out bool) error {
	if e.fails != nil {
		return e.fails
	}
	e.opted[phone] = out
	return e.Keeper.OptOut(ctx, phone, out)
}

// A hook is the handlers on a server that knows nothing of its public address.
type hook struct {
	*ear
	t   *testing.T
	w   *notificationtest.World
	url string
	id  string // of a message that was sent
}

func newHook(t *testing.T) *hook {
	t.Helper()
	w := notificationtest.New(t)
	fact, _ := w.Register("ada@example.org", "Ada", "en")
	w.Must(w.HearAccount(t.Context(), fact))
	w.Must(w.Sweep(t.Context()))
	h := &hook{ear: &ear{Keeper: w.Keeper, opted: map[string]bool{}}, t: t, w: w, id: w.Only(w, notification.AccountSubject(fact.Key)).ID}
	status, inbound := twiliosms.Callbacks([]string{token, "", otherToken}, callback, h.ear, slog.New(slog.DiscardHandler))
	mux := http.NewServeMux()
	mux.Handle("/webhooks/sms", status)
	mux.Handle("/webhooks/sms/inbound", inbound)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	h.url = server.URL + "/webhooks/sms"
	return h
}

// post sends a form to a path below the callbacks' address, signed as given.
func (h *hook) post(path string, form url.Values, signature string) (status int, body string) {
	h.t.Helper()
	req, err := http.NewRequestWithContext(h.t.Context(), http.MethodPost, h.url+path, strings.NewReader(form.Encode()))
	h.w.Must(err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if signature != "" {
		req.Header.Set("X-Twilio-Signature", signature)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	h.w.Must(err)
	said, err := io.ReadAll(resp.Body)
	h.w.Must(errors.Join(err, resp.Body.Close()))
	return resp.StatusCode, string(said)
}

func (h *hook) status() notification.Status {
	h.t.Helper()
	n, err := h.Get(h.t.Context(), notificationtest.Ourselves, h.id)
	h.w.Must(err)
	return n.Status
}

func told(status string, more ...string) url.Values {
	form := url.Values{"MessageSid": {"SM1"}, "MessageStatus": {status}, "AccountSid": {sid}, "To": {"+491701234567"}, "From": {from}}
	for i := 0; i+1 < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	return form
}

func TestStatusCallbacks(t *testing.T) {
	for name, c := range map[string]struct {
		form url.Values
		want notification.Receipt
		now  notification.Status
	}{
		"queued":      {told("queued"), notification.Receipt{}, notification.Sent},
		"sending":     {told("sending"), notification.Receipt{}, notification.Sent},
		"sent":        {told("sent"), notification.Receipt{Ref: "SM1", Status: notification.Sent}, notification.Sent},
		"delivered":   {told("delivered"), notification.Receipt{Ref: "SM1", Status: notification.Delivered}, notification.Delivered},
		"undelivered": {told("undelivered", "ErrorCode", "30006"), notification.Receipt{Ref: "SM1", Status: notification.Undelivered, Code: "30006"}, notification.Undelivered},
		"failed":      {told("failed", "ErrorCode", "to +491701234567"), notification.Receipt{Ref: "SM1", Status: notification.Undelivered}, notification.Undelivered},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHook(t)
			query := "?" + url.Values{"id": {h.id}}.Encode()
			if code, body := h.post(query, c.form, sign(otherToken, callback+query, c.form)); code != http.StatusNoContent {
				t.Fatalf("%d %s", code, body)
			}
			var want []notification.Receipt
			if c.want.Status != "" {
				c.want.ID = h.id
				want = []notification.Receipt{c.want}
			}
			if got := h.status(); !reflect.DeepEqual(h.receipts, want) || got != c.now {
				t.Errorf("%+v, %s", h.receipts, got)
			}
		})
	}
}

// A status that comes late, or once more, takes nothing back.
func TestLateAndRepeatedCallbacks(t *testing.T) {
	h := newHook(t)
	query := "?" + url.Values{"id": {h.id}}.Encode()
	for _, status := range []string{"delivered", "sent", "undelivered", "delivered", "queued"} {
		form := told(status)
		for range 2 {
			if code, body := h.post(query, form, sign(token, callback+query, form)); code != http.StatusNoContent {
				t.Fatalf("%s: %d %s", status, code, body)
			}
		}
		if got := h.status(); got != notification.Delivered {
			t.Fatalf("%s after %s", got, status)
		}
	}
}

func TestForgedCallbacks(t *testing.T) {
	h := newHook(t)
	query := "?" + url.Values{"id": {h.id}}.Encode()
	good := told("delivered")
	signature := sign(token, callback+query, good)
	for name, c := range map[string]struct {
		path      string
		form      url.Values
		signature string
		want      int
	}{
		"unsigned":                  {query, good, "", 403},
		"signed by somebody":        {query, good, sign("guess", callback+query, good), 403},
		"signed with nothing":       {query, good, sign("", callback+query, good), 403},
		"not a signature":           {query, good, "%%%", 403},
		"another status":            {query, told("undelivered"), signature, 403},
		"another message":           {"?id=order%3A2%3Aconfirmed%3Asms", good, signature, 403},
		"no message":                {"", good, signature, 403},
		"more in the query":         {query + "&MessageStatus=undelivered", good, signature, 403},
		"signed as seen here":       {query, good, sign(token, h.url+query, good), 403},
		"for another handler":       {"/inbound" + query, good, signature, 403},
		"far too long":              {query, told("delivered", "Body", strings.Repeat("a", 1<<20)), signature, 413},
		"a second status behind it": {query, url.Values{"MessageStatus": {"undelivered", "delivered"}}, signature, 403},
	} {
		code, body := h.post(c.path, c.form, c.signature)
		if code != c.want || h.receipts != nil || h.status() != notification.Sent {
			t.Errorf("%s: %d %s, %+v", name, code, body, h.receipts)
		}
	}
	resp, err := http.Get(h.url + query)
	h.w.Must(err)
	h.w.Must(resp.Body.Close())
	http.DefaultClient.CloseIdleConnections()
	if resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET: %s", resp.Status)
	}
}

// What is not known here is taken, for it never will be; what cannot be noted
// now is not.
func TestCallbacksThatCannotBeNoted(t *testing.T) {
	h := newHook(t)
	form := told("delivered")
	for _, query := range []string{"?id=order%3A2%3Aconfirmed%3Asms", "?id=" + strings.Repeat("a", 300), ""} {
		if code, body := h.post(query, form, sign(token, callback+query, form)); code != http.StatusNoContent {
			t.Errorf("%s: %d %s", query, code, body)
		}
	}
	h.fails = errors.New("the store is away")
	query := "?" + url.Values{"id": {h.id}}.Encode()
	if code, body := h.post(query, form, sign(token, callback+query, form)); code != http.StatusServiceUnavailable || strings.Contains(body, "store") {
		t.Errorf("%d %s", code, body)
	}
	stop := url.Values{"From": {"+491701234567"}, "Body": {"STOP"}}
	if code, _ := h.post("/inbound", stop, sign(token, callback+"/inbound", stop)); code != http.StatusServiceUnavailable {
		t.Errorf("STOP: %d", code)
	}
}

func TestInbound(t *testing.T) {
	const number = "+491701234567"
	yes, no := map[string]bool{number: true}, map[string]bool{number: false}
	for _, c := range []struct {
		body, kind string
		want       map[string]bool
	}{
		{"STOP", "", yes}, {" stop.\n", "", yes}, {"StopAll", "", yes}, {"UNSUBSCRIBE", "", yes}, {"cancel", "", yes}, {"END", "", yes},
		{"quit!", "", yes}, {"Stopp", "", yes}, {"bas", "STOP", yes},
		{"START", "", no}, {"yes", "", no}, {"unstop", "", no}, {"oui", "START", no},
		{"HELP", "", nil}, {"stop it tomorrow please", "", nil}, {"", "", nil}, {"When does it come?", "", nil}, {"STOP", "HELP", nil},
	} {
		h := newHook(t)
		form := url.Values{"From": {number}, "To": {from}, "Body": {c.body}}
		if c.kind != "" {
			form.Set("OptOutType", c.kind)
		}
		code, body := h.post("/inbound", form, sign(token, callback+"/inbound", form))
		if code != http.StatusOK || !strings.Contains(body, "<Response/>") {
			t.Errorf("%q: %d %s", c.body, code, body)
		}
		if c.want == nil {
			c.want = map[string]bool{}
		}
		if !maps.Equal(h.opted, c.want) {
			t.Errorf("%q: %v", c.body, h.opted)
		}
	}

	h := newHook(t)
	stop := url.Values{"From": {number}, "Body": {"STOP"}}
	if code, _ := h.post("/inbound", stop, sign("guess", callback+"/inbound", stop)); code != http.StatusForbidden || len(h.opted) != 0 {
		t.Errorf("forged: %d, %v", code, h.opted)
	}
	// A company's short number is nobody's telephone.
	stop.Set("From", "12345")
	if code, _ := h.post("/inbound", stop, sign(token, callback+"/inbound", stop)); code != http.StatusOK || len(h.opted) != 0 {
		t.Errorf("short: %d, %v", code, h.opted)
	}
}
