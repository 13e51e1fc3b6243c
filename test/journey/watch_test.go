package journey

import (
	"bytes"
	"context"
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"ordergraph/services/catalog/feed"
	"ordergraph/test/shop"
)

// A line is a client's socket, over which several things are watched.
type line struct {
	t    *testing.T
	ctx  context.Context
	ws   *websocket.Conn
	seen map[string]int // the last version that each subscription brought
}

func dial(t *testing.T, s *shop.Shop) *line {
	t.Helper()
	l := &line{t: t, ctx: limited(t, patience), seen: map[string]int{}}
	ws, response, err := websocket.Dial(l.ctx, "ws"+strings.TrimPrefix(s.URL, "http")+"/graphql", &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}})
	if err != nil {
		t.Fatal(err, response)
	}
	t.Cleanup(func() { _ = ws.CloseNow() })
	l.ws = ws
	l.say(map[string]any{"type": "connection_init"})
	if m := l.hear(); m.Type != "connection_ack" {
		t.Fatalf("%+v", m)
	}
	return l
}

func (l *line) say(message map[string]any) {
	l.t.Helper()
	text, err := json.Marshal(message)
	if err == nil {
		err = l.ws.Write(l.ctx, websocket.MessageText, text)
	}
	if err != nil {
		l.t.Fatal(err)
	}
}

// A heard is a message of graphql-transport-ws.
type heard struct {
	ID, Type string
	Payload  json.RawMessage
}

func (l *line) hear() heard {
	l.t.Helper()
	for {
		_, text, err := l.ws.Read(l.ctx)
		if err != nil {
			l.t.Fatal(err)
		}
		var m heard
		if err := json.Unmarshal(text, &m); err != nil {
			l.t.Fatalf("%v: %s", err, text)
		}
		if m.Type != "ping" {
			return m
		}
		l.say(map[string]any{"type": "pong"})
	}
}

// watch subscribes under the name.
func (l *line) watch(name, query string, variables map[string]any) {
	l.t.Helper()
	l.say(map[string]any{"id": name, "type": "subscribe", "payload": map[string]any{"query": query, "variables": variables}})
}

// A moment is what one event of a subscription shows, whichever it is.
type moment struct {
	Version  int
	Status   string
	Progress struct {
		Parcels   struct{ Total int }
		Documents []struct{ Kind string }
		Messages  []told
	}
	Notifications []told
}

type told struct{ Kind, Channel, Status string }

// next is the next event, and the name under which it was subscribed to. The
// versions of each subscription only grow.
func (l *line) next() (string, moment) {
	l.t.Helper()
	m := l.hear()
	var event struct {
		Data   map[string]moment
		Errors json.RawMessage
	}
	if err := json.Unmarshal(m.Payload, &event); m.Type != "next" || err != nil || len(event.Data) != 1 || event.Errors != nil {
		l.t.Fatalf("%s %s: %s (%v)", m.ID, m.Type, m.Payload, err)
	}
	for _, now := range event.Data {
		if now.Version <= l.seen[m.ID] {
			l.t.Fatalf("%s: version %d came after %d", m.ID, now.Version, l.seen[m.ID])
		}
		l.seen[m.ID] = now.Version
		return m.ID, now
	}
	panic("unreachable")
}

const (
	watchOrder = `subscription ($id: ID!, $token: String) { orderStatus(orderId: $id, accessToken: $token) {
		version status progress { parcels { total } documents { kind } messages { kind channel status } } } }`
	watchInvoice = `subscription ($id: ID!, $token: String, $after: Int) { invoiceStatus(orderId: $id, accessToken: $token, afterVersion: $after) { version status } }`
	watchTold    = `subscription ($id: ID!, $token: String) { notificationStatus(orderId: $id, accessToken: $token) { version notifications { kind channel status } } }`
)

// TestEverythingIsWatched follows a purchase over one socket, from the bank's
// question until the SMS has arrived and the mail with the invoice is out, and
// reads them.
func TestEverythingIsWatched(t *testing.T) {
	t.Parallel()
	for _, topology := range []shop.Topology{shop.One, shop.Six} {
		t.Run(string(topology), func(t *testing.T) {
			s := shop.Start(t, topology, "INVOICE_GRACE=1m") // the invoice is attached, however busy the machine
			s.Fill([]feed.Product{shop.Thing("lamp", 8990, here(5))})
			cart, err := s.Cart(t.Context(), shop.CartLine{MerchandiseID: s.Variant("lamp"), Quantity: 1})
			if err != nil {
				t.Fatal(err)
			}
			bought, err := s.Settle(limited(t, patience), cart, "pm_card_authenticationRequired", "watched-0001")
			if err != nil || bought.Order == nil || bought.Order.Payment == nil || bought.Order.Payment.ActionURL == "" {
				t.Fatalf("checkout: %+v, %v", bought, err)
			}
			vars := func(token string, after any) map[string]any {
				return map[string]any{"id": bought.Order.ID, "token": token, "after": after}
			}
			l := dial(t, s)
			for name, query := range map[string]string{"a stranger's order": watchOrder, "a stranger's invoice": watchInvoice, "a stranger's messages": watchTold} {
				l.watch(name, query, vars("wrong", nil))
				if m := l.hear(); m.ID != name || m.Type != "error" || !strings.Contains(string(m.Payload), "NOT_FOUND") {
					t.Fatalf("%+v: %s", m, m.Payload)
				}
			}
			l.watch("order", watchOrder, vars(bought.AccessToken, nil))
			l.watch("invoice", watchInvoice, vars(bought.AccessToken, nil))
			l.watch("messages", watchTold, vars(bought.AccessToken, nil))
			now := map[string]moment{}
			read := func() { name, m := l.next(); now[name] = m }
			for len(now) < 3 {
				read()
			}
			if now["order"].Status != "PAYING" || now["invoice"].Status != "PENDING" || len(now["messages"].Notifications) > 0 {
				t.Fatalf("before it is paid: %+v", now)
			}
			l.seen["later"] = now["invoice"].Version // nothing up to it may come
			l.watch("later", watchInvoice, vars(bought.AccessToken, now["invoice"].Version))

			s.PressAtBank(bought.Order.Payment.ActionURL, "confirm")
			mail, sms := told{"CONFIRMED", "MAIL", "SENT"}, told{"CONFIRMED", "SMS", "DELIVERED"}
			both := func(all []told) bool { return slices.Contains(all, mail) && slices.Contains(all, sms) }
			for {
				p := now["order"].Progress
				if now["order"].Status == "CONFIRMED" && p.Parcels.Total == 1 && len(p.Documents) == 1 && p.Documents[0].Kind == "INVOICE" && both(p.Messages) &&
					now["invoice"].Status == "READY" && now["later"].Status == "READY" && both(now["messages"].Notifications) {
					break
				}
				read()
			}
			s.Phone("+491701234567").Wait(t, bought.Order.Number)
			invoiceIn(t, s, s.Inbox("ada@example.com").Wait(t, bought.Order.Number), bought)
			s.KeepsSecrets("ada@example.com", "+491701234567", bought.AccessToken)
		})
	}
}

// invoiceIn reads the invoice that is attached to a mail as the customer does.
func invoiceIn(t *testing.T, s *shop.Shop, letter shop.Letter, bought shop.Bought) {
	t.Helper()
	var got struct {
		Invoice struct{ Number string }
	}
	s.Do(`query ($id: ID!, $token: String) { invoice(orderId: $id, accessToken: $token) { number } }`,
		map[string]any{"id": bought.Order.ID, "token": bought.AccessToken}, &got)
	for n, file := range letter.Attachments {
		if file.Name != got.Invoice.Number+".pdf" {
			continue
		}
		pdf := s.Inbox("ada@example.com").File(t, letter, n)
		if _, err := exec.LookPath("pdftotext"); err != nil {
			if !bytes.HasPrefix(pdf, []byte("%PDF-")) {
				t.Errorf("not a PDF: %.100q", pdf)
			}
			return
		}
		read := exec.Command("pdftotext", "-layout", "-", "-")
		read.Stdin = bytes.NewReader(pdf)
		text, err := read.Output()
		if err != nil || !strings.Contains(string(text), got.Invoice.Number) || !strings.Contains(string(text), bought.Order.Number) {
			t.Errorf("%v: the invoice says\n%s", err, text)
		}
		return
	}
	t.Errorf("no invoice %s is in %q: %+v", got.Invoice.Number, letter.Subject, letter.Attachments)
}

// TestInvoiceFollows: the invoice service is away for the whole grace, so the
// confirmation promises the invoice, and a second mail brings it.
func TestInvoiceFollows(t *testing.T) {
	t.Parallel()
	s := shop.Start(t, shop.Six)
	s.Fill([]feed.Product{shop.Thing("lamp", 8990, here(5))})
	variant := s.Variant("lamp")
	s.Kill("invoice")
	cart, err := s.PatientCart(limited(t, patience), variant)
	if err != nil {
		t.Fatal(err)
	}
	bought, err := s.Settle(limited(t, patience), cart, "pm_card_visa", "follows-0001")
	if err != nil || bought.Order == nil || bought.Order.Status != "CONFIRMED" {
		t.Fatalf("checkout: %+v, %v", bought, err)
	}
	inbox := s.Inbox("ada@example.com")
	first := inbox.Wait(t, bought.Order.Number)
	if !strings.Contains(first.Text, "We will send invoice soon") || !strings.Contains(first.HTML, "We will send invoice soon") {
		t.Errorf("the invoice is not promised: %s", first.Text)
	}
	for _, file := range first.Attachments {
		if strings.HasSuffix(file.Name, ".pdf") {
			t.Errorf("attached all the same: %+v", file)
		}
	}
	s.Start("invoice")
	s.WaitReady()
	second := inbox.Wait(t, "The invoice for your order "+bought.Order.Number)
	invoiceIn(t, s, second, bought)
	if strings.Contains(second.Text, "We will send invoice soon") {
		t.Errorf("promised once more: %s", second.Text)
	}
}
