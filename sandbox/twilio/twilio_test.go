package twilio_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twilio/twilio-go/client"
	api "github.com/twilio/twilio-go/rest/api/v2010"
	"go.uber.org/goleak"

	"ordergraph/sandbox/faults"
	"ordergraph/sandbox/twilio"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	account = "ACsandbox0000000000000000000000000"
	token   = "sandbox"
	from    = "+15005550006"
	to      = "+491701234567"
	service = "MG0123456789abcdef0123456789abcdef"

	patience = 30 * time.Second
)

// A world is a phone company, a shop that calls it with Twilio's own client,
// and what that shop is told.
type world struct {
	t      *testing.T
	server *twilio.Server
	web    string // the phone company's address
	shop   string // the shop's
	api    *api.ApiService

	mu     sync.Mutex
	told   []url.Values // that is signed rightly
	forged []url.Values
	answer int // what the shop says; 0: nothing, it hangs up
}

func start(t *testing.T, change func(o *twilio.Options)) *world {
	t.Helper()
	w := &world{t: t, answer: http.StatusNoContent}
	validator := client.NewRequestValidator(token)
	shop := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		form, _ := url.ParseQuery(string(body))
		w.mu.Lock()
		defer w.mu.Unlock()
		if !validator.ValidateBody(w.shop+r.URL.RequestURI(), body, r.Header.Get("X-Twilio-Signature")) {
			w.forged = append(w.forged, form)
			rw.WriteHeader(http.StatusForbidden)
			return
		}
		form.Set("path", r.URL.RequestURI())
		w.told = append(w.told, form)
		if w.answer == 0 {
			panic(http.ErrAbortHandler)
		}
		rw.WriteHeader(w.answer)
	}))
	w.shop = shop.URL
	o := twilio.Options{Account: account, Token: token, Inbound: shop.URL + "/inbound", Step: time.Millisecond, Retry: time.Millisecond}
	if change != nil {
		change(&o)
	}
	var err error
	if w.server, err = twilio.New(o); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	w.server.Routes(mux)
	web := httptest.NewServer(mux)
	w.web = web.URL
	w.api = w.client(account, token)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.server.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		w.server.Close()
		http.DefaultClient.CloseIdleConnections()
		web.Close()
		shop.Close()
	})
	return w
}

// client is Twilio's own, with another address.
func (w *world) client(user, password string) *api.ApiService {
	c := &client.Client{Credentials: client.NewCredentials(user, password), HTTPClient: &http.Client{Transport: elsewhere(w.web)}}
	c.SetAccountSid(account)
	return api.NewApiService(client.NewRequestHandler(c))
}

// elsewhere sends requests to another address than they name.
type elsewhere string

func (e elsewhere) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host, r.Host = "http", strings.TrimPrefix(string(e), "http://"), ""
	return http.DefaultTransport.RoundTrip(r)
}

func (w *world) send(change ...func(p *api.CreateMessageParams)) (*api.ApiV2010Message, error) {
	p := new(api.CreateMessageParams).SetTo(to).SetFrom(from).SetBody("Your order is on its way.").SetStatusCallback(w.shop + "/sms?id=a%3A1&x=y")
	for _, c := range change {
		c(p)
	}
	return w.api.CreateMessage(p)
}

func (w *world) mustSend(change ...func(p *api.CreateMessageParams)) *api.ApiV2010Message {
	w.t.Helper()
	m, err := w.send(change...)
	if err != nil {
		w.t.Fatal(err)
	}
	return m
}

func (w *world) set(f twilio.Faults) {
	w.t.Helper()
	if err := w.server.SetFaults(f); err != nil {
		w.t.Fatal(err)
	}
}

// eventually waits until it is so.
func (w *world) eventually(what string, so func() bool) {
	w.t.Helper()
	for end := time.Now().Add(patience); !so(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.t.Fatalf("not within %v: %s; told %v, forged %v, %+v", patience, what, w.told, w.forged, w.server.Ledger())
		}
	}
}

// statuses are what the shop was told of a message, in that order.
func (w *world) statuses(sid string) (all []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, form := range w.told {
		if form.Get("MessageSid") == sid {
			all = append(all, form.Get("MessageStatus"))
		}
	}
	return all
}

func codeOf(err error) (status, code int) {
	if e, ok := errors.AsType[*client.TwilioRestError](err); ok {
		return e.Status, e.Code
	}
	return 0, 0
}

func TestMessageComesToItsPhone(t *testing.T) {
	w := start(t, nil)
	m := w.mustSend()
	if *m.Status != "queued" || len(*m.Sid) != 34 || !strings.HasPrefix(*m.Sid, "SM") || *m.To != to || *m.From != from || *m.NumSegments != "1" ||
		m.Price != nil || m.ErrorCode != nil || m.DateSent != nil || *m.Direction != "outbound-api" || *m.AccountSid != account || *m.ApiVersion != "2010-04-01" ||
		*m.Uri != "/2010-04-01/Accounts/"+account+"/Messages/"+*m.Sid+".json" {
		t.Errorf("%+v", *m)
	}
	if _, err := time.Parse(time.RFC1123Z, *m.DateCreated); err != nil {
		t.Error(err)
	}
	w.eventually("it is delivered, and told", func() bool { return slices.Equal(w.statuses(*m.Sid), []string{"sent", "delivered"}) })
	w.mu.Lock()
	last := w.told[1]
	w.mu.Unlock()
	for name, want := range map[string]string{
		"AccountSid": account, "MessageSid": *m.Sid, "SmsSid": *m.Sid, "SmsStatus": "delivered", "To": to, "From": from, "ErrorCode": "", "path": "/sms?id=a%3A1&x=y",
	} {
		if last.Get(name) != want {
			t.Errorf("%s is %q", name, last.Get(name))
		}
	}
	got, err := w.api.FetchMessage(*m.Sid, nil)
	if err != nil || *got.Status != "delivered" || got.DateSent == nil || *got.Body != *m.Body {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := w.api.FetchMessage("SM1", nil); err == nil {
		t.Error("no such message")
	} else if status, code := codeOf(err); status != 404 || code != 20404 {
		t.Error(err)
	}
}

func TestMessagingService(t *testing.T) {
	w := start(t, func(o *twilio.Options) { o.Step = time.Hour })
	m := w.mustSend(func(p *api.CreateMessageParams) { p.From = nil; p.SetMessagingServiceSid(service) })
	if *m.Status != "accepted" || *m.NumSegments != "0" || m.From != nil || *m.MessagingServiceSid != service {
		t.Errorf("%+v", *m)
	}
	w = start(t, nil)
	m = w.mustSend(func(p *api.CreateMessageParams) { p.From = nil; p.SetMessagingServiceSid(service) })
	w.eventually("it is delivered, and told", func() bool {
		return slices.Equal(w.statuses(*m.Sid), []string{"queued", "sent", "delivered"})
	})
	if got, err := w.api.FetchMessage(*m.Sid, nil); err != nil || *got.From != from || *got.NumSegments != "1" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestRefuses(t *testing.T) {
	w := start(t, nil)
	for name, c := range map[string]struct {
		change       func(p *api.CreateMessageParams)
		status, code int
	}{
		"no recipient":       {func(p *api.CreateMessageParams) { p.To = nil }, 400, 21604},
		"no number":          {func(p *api.CreateMessageParams) { p.SetTo("0170 1234567") }, 400, 21211},
		"invalid":            {func(p *api.CreateMessageParams) { p.SetTo("+15005550001") }, 400, 21211},
		"not reachable":      {func(p *api.CreateMessageParams) { p.SetTo("+15005550002") }, 400, 21612},
		"another region":     {func(p *api.CreateMessageParams) { p.SetTo("+15005550003") }, 400, 21408},
		"unsubscribed":       {func(p *api.CreateMessageParams) { p.SetTo("+15005550004") }, 400, 21610},
		"no mobile":          {func(p *api.CreateMessageParams) { p.SetTo("+15005550009") }, 400, 21614},
		"no sender":          {func(p *api.CreateMessageParams) { p.From = nil }, 400, 21603},
		"invalid sender":     {func(p *api.CreateMessageParams) { p.SetFrom("+15005550001") }, 400, 21212},
		"not a sender":       {func(p *api.CreateMessageParams) { p.SetFrom("A very long sender") }, 400, 21212},
		"somebody's sender":  {func(p *api.CreateMessageParams) { p.SetFrom("+15005550007") }, 400, 21606},
		"full sender":        {func(p *api.CreateMessageParams) { p.SetFrom("+15005550008") }, 400, 21611},
		"to itself":          {func(p *api.CreateMessageParams) { p.SetFrom(to) }, 400, 21266},
		"no such service":    {func(p *api.CreateMessageParams) { p.SetMessagingServiceSid("MG1") }, 400, 21701},
		"no body":            {func(p *api.CreateMessageParams) { p.SetBody("") }, 400, 21602},
		"a long body":        {func(p *api.CreateMessageParams) { p.SetBody(strings.Repeat("ü", 1601)) }, 400, 21617},
		"no callback":        {func(p *api.CreateMessageParams) { p.SetStatusCallback("/webhooks/sms") }, 400, 21609},
		"busy":               {func(p *api.CreateMessageParams) { p.SetTo("+15005551429") }, 429, 20429},
		"good":               {func(p *api.CreateMessageParams) { p.SetBody(strings.Repeat("ü", 1600)) }, 0, 0},
		"a name as a sender": {func(p *api.CreateMessageParams) { p.SetFrom("Harbour 24") }, 0, 0},
		"a short code":       {func(p *api.CreateMessageParams) { p.SetFrom("12345") }, 0, 0},
	} {
		_, err := w.send(c.change)
		if status, code := codeOf(err); status != c.status || code != c.code || (err == nil) != (c.code == 0) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, other := range map[string]*api.ApiService{"another token": w.client(account, "other"), "another account": w.client("AC1", token), "nobody": w.client("", "")} {
		_, err := other.CreateMessage(new(api.CreateMessageParams).SetTo(to).SetFrom(from).SetBody("x"))
		if status, code := codeOf(err); status != 401 || code != 20003 {
			t.Errorf("%s: %v", name, err)
		}
	}
	keyed := start(t, func(o *twilio.Options) { o.Keys = map[string]string{"SK1": "secret"} })
	if _, err := keyed.client("SK1", "secret").ListMessage(nil); err != nil {
		t.Errorf("an API key: %v", err)
	}
	resp, err := http.Get(w.web + "/2010-04-01/Accounts/" + account + "/Calls.json")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusUnauthorized || resp.Header.Get("WWW-Authenticate") == "" {
		t.Errorf("%s %v", resp.Status, resp.Header)
	}
}

// Messages that are taken and never arrive, each for a reason of its own.
func TestUndelivered(t *testing.T) {
	w := start(t, nil)
	for code := 30003; code <= 30008; code++ {
		m := w.mustSend(func(p *api.CreateMessageParams) { p.SetTo(fmt.Sprintf("+1500555%04d", code-27000)) })
		w.eventually("it is undelivered, and told", func() bool { return slices.Equal(w.statuses(*m.Sid), []string{"sent", "undelivered"}) })
		if got, err := w.api.FetchMessage(*m.Sid, nil); err != nil || *got.Status != "undelivered" || *got.ErrorCode != code || *got.ErrorMessage == "" {
			t.Errorf("%d: %+v, %v", code, got, err)
		}
		w.mu.Lock()
		if last := w.told[len(w.told)-1]; last.Get("ErrorCode") != fmt.Sprint(code) {
			t.Errorf("%v", last)
		}
		w.mu.Unlock()
	}
	w.set(twilio.Faults{Undelivered: 1, UndeliveredCode: 30034})
	m := w.mustSend()
	w.eventually("it is undelivered", func() bool { return slices.Equal(w.statuses(*m.Sid), []string{"sent", "undelivered"}) })
}

// Lists are found by what Twilio's own client asks for, page by page; what
// arrives meanwhile moves nothing.
func TestList(t *testing.T) {
	w := start(t, nil)
	var sids []string
	for i := range 7 {
		m := w.mustSend(func(p *api.CreateMessageParams) { p.SetBody(fmt.Sprint(i)).SetTo("+4917012345" + fmt.Sprint(10+i%2)) })
		sids = append(sids, *m.Sid)
	}
	w.eventually("all are delivered", func() bool {
		return !slices.ContainsFunc(w.server.Messages(""), func(m twilio.Message) bool { return m.Status != "delivered" })
	})
	bodies := func(p *api.ListMessageParams) (all string) {
		t.Helper()
		found, err := w.api.ListMessage(p)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range found {
			all += *m.Body
		}
		return all
	}
	day := 24 * time.Hour
	now := time.Now()
	params := func() *api.ListMessageParams { return new(api.ListMessageParams) }
	for want, p := range map[string]*api.ListMessageParams{
		"6543210": params().SetPageSize(3), "65": params().SetPageSize(1).SetLimit(2), "531": params().SetTo("+491701234511").SetPageSize(2),
		"": params().SetFrom("+15005550010"),
	} {
		if got := bodies(p); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	for want, all := range map[string][]*api.ListMessageParams{
		"6543210": {params().SetDateSentAfter(now.Add(-day)), params().SetDateSentBefore(now.Add(day)), params().SetDateSentAfter(now.Add(-day)).SetDateSentBefore(now.Add(day))},
		"":        {params().SetDateSentAfter(now.Add(day)), params().SetDateSentBefore(now.Add(-day)), params().SetDateSent(now.Add(-day))},
	} {
		for _, p := range all {
			if got := bodies(p); got != want {
				t.Errorf("%+v: %q, want %q", *p, got, want)
			}
		}
	}
	// By days, as the documents have it. The test may run over midnight.
	for query, want := range map[string]int{
		"DateSent>=" + now.UTC().Format(time.DateOnly): 7, "DateSent<=" + now.UTC().Add(day).Format(time.DateOnly): 7,
		"DateSent=" + now.UTC().Add(-2*day).Format(time.DateOnly): 0, "DateSent=yesterday": -1, "PageSize=x": -1, "DateSent>=1990": -1,
	} {
		name, value, _ := strings.Cut(query, "=")
		status, got := w.get(url.Values{name: {value}}.Encode())
		if want < 0 && status != 400 || want >= 0 && (status != 200 || len(got.Messages) != want) {
			t.Errorf("%s: %d, %d messages", query, status, len(got.Messages))
		}
	}

	_, first := w.get("PageSize=3")
	w.mustSend(func(p *api.CreateMessageParams) { p.SetBody("new") })
	_, second := w.get(query(t, first.NextPageURI))
	_, back := w.get(query(t, second.PreviousPageURI))
	if len(first.Messages) != 3 || first.PageSize != 3 || first.Page != 0 || first.End != 2 || first.PreviousPageURI != "" ||
		second.Page != 1 || second.Start != 3 || second.Messages[0].SID != sids[3] || back.Messages[0].SID != sids[6] {
		t.Errorf("%+v\n%+v\n%+v", first, second, back)
	}
}

// A page is a page of messages in Twilio's own shape.
type page struct {
	Messages              []struct{ SID, Status string }
	Page, Start, End      int
	PageSize              int    `json:"page_size"`
	NextPageURI           string `json:"next_page_uri"`
	PreviousPageURI       string `json:"previous_page_uri"`
	Code                  int
	FirstPageURI, PageURI string
}

func (w *world) get(query string) (status int, p page) {
	w.t.Helper()
	req, err := http.NewRequest(http.MethodGet, w.web+"/2010-04-01/Accounts/"+account+"/Messages.json?"+query, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	req.SetBasicAuth(account, token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&p); err != nil {
		w.t.Fatal(err)
	}
	return resp.StatusCode, p
}

func query(t *testing.T, uri string) string {
	t.Helper()
	u, err := url.Parse(uri)
	if err != nil {
		t.Fatal(err)
	}
	return u.RawQuery
}

// A phone answers: the shop is told, and who wrote STOP gets nothing more
// until START.
func TestStop(t *testing.T) {
	w := start(t, nil)
	w.mustSend()
	post := func(body string) (int, string) {
		resp, err := http.Post(w.web+"/sandbox/phone/reply", "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		said, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, string(said)
	}
	for _, wrong := range []string{`{"from":"0170","body":"STOP"}`, `{"from":"` + to + `","body":" "}`, `{"from":"+491709999999","body":"STOP"}`, "nonsense"} {
		if status, said := post(wrong); status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", wrong, status, said)
		}
	}
	heard := func(body string) url.Values {
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, form := range w.told {
			if form.Get("path") == "/inbound" && form.Get("Body") == body {
				return form
			}
		}
		return nil
	}
	if status, said := post(`{"from":"` + to + `","body":"stop "}`); status != http.StatusCreated {
		t.Fatalf("%d %s", status, said)
	}
	w.eventually("the shop hears STOP", func() bool { return heard("stop ") != nil })
	if form := heard("stop "); form.Get("From") != to || form.Get("To") != from || form.Get("SmsStatus") != "received" || form.Get("NumMedia") != "0" || form.Get("OptOutType") != "" {
		t.Errorf("%v", form)
	}
	if got := w.server.Messages(to); len(got) != 3 || got[0].Direction != "outbound-reply" || got[1].Body != "stop " {
		t.Errorf("%+v", got)
	}
	if _, err := w.send(); err == nil {
		t.Error("sent after STOP")
	} else if status, code := codeOf(err); status != 400 || code != 21610 {
		t.Error(err)
	}
	// Another sender and another phone are not meant.
	w.mustSend(func(p *api.CreateMessageParams) { p.SetFrom("+15005550010") })
	w.mustSend(func(p *api.CreateMessageParams) { p.SetTo("+491701234568") })
	if _, err := w.server.Reply(to, from, "please STOP"); err != nil { // a sentence is no keyword
		t.Error(err)
	}
	if _, err := w.server.Reply(to, from, "Start"); err != nil {
		t.Error(err)
	}
	w.mustSend()

	// By a Messaging Service, Twilio says what it has understood.
	m := w.mustSend(func(p *api.CreateMessageParams) {
		p.From = nil
		p.SetMessagingServiceSid(service).SetTo("+33612345678")
	})
	w.eventually("it is delivered", func() bool { return slices.Contains(w.statuses(*m.Sid), "delivered") })
	if _, err := w.server.Reply("+33612345678", "", "unsubscribe"); err != nil {
		t.Fatal(err)
	}
	w.eventually("the shop hears it", func() bool { return heard("unsubscribe").Get("OptOutType") == "STOP" })
	_, err := w.send(func(p *api.CreateMessageParams) {
		p.From = nil
		p.SetMessagingServiceSid(service).SetTo("+33612345678")
	})
	if _, code := codeOf(err); code != 21610 {
		t.Error(err)
	}
}

func TestTrouble(t *testing.T) {
	w := start(t, nil)
	for name, c := range map[string]struct {
		faults       twilio.Faults
		status, code int
		taken        int
	}{
		"busy":     {twilio.Faults{Busy: 1}, 429, 20429, 0},
		"errors":   {twilio.Faults{Errors: 1}, 500, 20500, 0},
		"rejected": {twilio.Faults{Rejected: 1, RejectCode: 21211}, 400, 21211, 0},
		"down":     {twilio.Faults{Down: true}, 0, 0, 0},
		"lost":     {twilio.Faults{Lost: 1}, 0, 0, 1},
		"slow":     {twilio.Faults{Delay: faults.Duration(time.Millisecond), Rejected: 1}, 400, 21612, 0},
	} {
		w.set(c.faults)
		before := w.server.Ledger()
		_, err := w.send()
		after := w.server.Ledger()
		if status, code := codeOf(err); err == nil || status != c.status || code != c.code || after.Taken-before.Taken != c.taken || after.Lost-before.Lost != c.taken ||
			c.code != 0 && after.Refused[c.code] != before.Refused[c.code]+1 {
			t.Errorf("%s: %v; %+v, %+v", name, err, before, after)
		}
	}
	w.set(twilio.Faults{})
	w.mustSend()
	if _, err := w.send(func(p *api.CreateMessageParams) { p.SetTo("+15005551000") }); err == nil || len(w.server.Messages("+15005551000")) != 1 {
		t.Errorf("the number whose answer is lost: %v", err)
	}

	// Too many in one second: those above wait as long as they are told.
	w.set(twilio.Faults{PerSecond: 1, RetryAfter: faults.Duration(3 * time.Second)})
	w.eventually("there is one too many", func() bool {
		req, _ := http.NewRequest(http.MethodPost, w.web+"/2010-04-01/Accounts/"+account+"/Messages.json", strings.NewReader("To="+url.QueryEscape(to)))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.SetBasicAuth(account, token)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusTooManyRequests && resp.Header.Get("Retry-After") == "3"
	})

	for _, wrong := range []string{`{"busy":2}`, `{"lost":-1}`, `{"delay":"2h"}`, `{"delay":1}`, `{"bsuy":1}`, `nonsense`} {
		resp, err := http.Post(w.web+"/sandbox/phone/faults", "application/json", strings.NewReader(wrong))
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %s", wrong, resp.Status)
		}
	}
}

// Callbacks are lost, doubled, late and forged, and made again where the shop
// was away.
func TestCallbacksInTrouble(t *testing.T) {
	w := start(t, nil)
	w.set(twilio.Faults{Silent: 1})
	m := w.mustSend()
	w.eventually("both are kept back", func() bool { return w.server.Ledger().Silent == 2 })
	if got := w.statuses(*m.Sid); got != nil {
		t.Errorf("told %v", got)
	}

	w.set(twilio.Faults{Twice: true})
	m = w.mustSend()
	w.eventually("both are made twice", func() bool { return len(w.statuses(*m.Sid)) == 4 })

	w.set(twilio.Faults{Forged: 1})
	m = w.mustSend()
	w.eventually("two are forged", func() bool { return w.server.Ledger().Forged == 2 && len(w.statuses(*m.Sid)) == 2 })
	w.mu.Lock()
	if len(w.forged) != 2 || w.forged[0].Get("MessageStatus") != "undelivered" {
		t.Errorf("%v", w.forged)
	}
	w.mu.Unlock()
	if l := w.server.Ledger(); l.Admitted != 0 {
		t.Errorf("%+v", l)
	}

	w.set(twilio.Faults{})
	for _, away := range []int{0, http.StatusServiceUnavailable} {
		w.mu.Lock()
		w.answer = away
		w.mu.Unlock()
		m = w.mustSend()
		w.eventually("each is tried again", func() bool { return len(w.statuses(*m.Sid)) > 2 })
		w.mu.Lock()
		w.answer = http.StatusOK
		w.mu.Unlock()
	}

	w.set(twilio.Faults{Shuffled: true})
	m = w.mustSend()
	w.eventually("both are told, the wrong way round", func() bool { return slices.Equal(w.statuses(*m.Sid), []string{"delivered", "sent"}) })
}

func TestMemoryIsBounded(t *testing.T) {
	w := start(t, func(o *twilio.Options) { o.Keep = 5 })
	var first string
	for i := range 8 {
		m := w.mustSend(func(p *api.CreateMessageParams) { p.SetBody(fmt.Sprint(i)) })
		if i == 0 {
			first = *m.Sid
		}
	}
	if got := w.server.Messages(""); len(got) != 5 || got[0].Body != "7" || got[4].Body != "3" {
		t.Errorf("%+v", got)
	}
	if _, err := w.api.FetchMessage(first, nil); err == nil {
		t.Error("the first is still there")
	}
}

// A page that watches is told of every change.
func TestLive(t *testing.T) {
	w := start(t, nil)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.web+"/sandbox/phone/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	wait := func(number string) {
		for lines.Scan() {
			if lines.Text() == "data: "+number {
				return
			}
		}
		t.Fatalf("never told of %s", number)
	}
	wait("0")
	w.mustSend()
	wait("3") // queued, sent, delivered
	var got struct{ Messages []twilio.Message }
	list, err := http.Get(w.web + "/sandbox/phone/messages?limit=1&phone=" + url.QueryEscape(to))
	if err != nil {
		t.Fatal(err)
	}
	defer list.Body.Close()
	if err := json.NewDecoder(list.Body).Decode(&got); err != nil || len(got.Messages) != 1 || got.Messages[0].Status != "delivered" {
		t.Errorf("%+v, %v", got, err)
	}
}
