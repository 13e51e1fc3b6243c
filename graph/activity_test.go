package graph_test

import (
	"context"
	"encoding/json"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"ordergraph/graph"
	"ordergraph/graph/graphtest"
	"ordergraph/platform/activity"
	"ordergraph/platform/fault"
	"ordergraph/platform/identity"
	"ordergraph/services/order"
)

const figures = `carts placed confirmed failed { reason count } cancelled conversion confirmedWithinP50 confirmedWithinP99`

// What customers do is on the board soon after, each thing once.
func TestWhatTheShopIsDoing(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, nil)
	merchant := s.Staff(identity.Merchant)
	const board = `query ($n: Int! = 5) { shopActivity(minutes: $n) { at minutes { at figures { ` + figures + ` } } total { ` + figures + ` } } }`
	quiet := map[string]any{"carts": 0., "placed": 0., "confirmed": 0., "failed": []any{}, "cancelled": 0., "conversion": nil, "confirmedWithinP50": nil, "confirmedWithinP99": nil}
	if got := graphtest.Get(s.DoAs(merchant.Access, board, nil), "shopActivity.total"); !reflect.DeepEqual(got, quiet) {
		t.Errorf("before anybody came: %v", got)
	}

	for range 2 {
		s.Buy("", "Wool Scarf")
	}
	id, token := buy(t, s)
	s.Do(cancel, graphtest.Vars{"in": graphtest.Vars{"orderId": id, "accessToken": token}})
	s.Fill("", "Wool Scarf") // and left
	declined := input(fill(t, s, "Ocean Blue T-Shirt", 1), "activity-declined", "pm_card_chargeDeclined")
	for range 2 { // one attempt
		s.Do(checkout, graphtest.Vars{"in": declined})
	}
	var shown any
	s.Until("all of it is on the board", func() bool {
		shown = s.DoAs(merchant.Access, board, nil)["shopActivity"]
		return graphtest.Get(shown, "total.cancelled") == 1. && graphtest.Get(shown, "total.failed.0.count") == 1. && graphtest.Get(shown, "total.carts") == 5.
	})
	total := graphtest.Get(shown, "total").(map[string]any)
	half, ok := total["confirmedWithinP50"].(float64)
	most, okMost := total["confirmedWithinP99"].(float64)
	if !ok || !okMost || half < 1 || most < half {
		t.Errorf("half within %v ms, 99 of 100 within %v ms", half, most)
	}
	delete(total, "confirmedWithinP50")
	delete(total, "confirmedWithinP99")
	want := map[string]any{
		"carts": 5., "placed": 4., "confirmed": 3., "cancelled": 1., "conversion": 0.6,
		"failed": []any{map[string]any{"reason": string(order.ReasonCardDeclined), "count": 1.}},
	}
	if !reflect.DeepEqual(total, want) {
		t.Errorf("on the board are %v, want %v", total, want)
	}

	minutes := graphtest.Get(shown, "minutes").([]any)
	at := func(data any, path string) time.Time {
		text, _ := graphtest.Get(data, path).(string)
		parsed, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return parsed
	}
	placed := 0.
	for i, m := range minutes {
		if want := at(shown, "at").Truncate(time.Minute).Add(time.Duration(i-4) * time.Minute); !at(m, "at").Equal(want) {
			t.Errorf("minute %d begins at %v, want %v", i, at(m, "at"), want)
		}
		placed += graphtest.Get(m, "figures.placed").(float64)
	}
	if len(minutes) != 5 || placed != 4 {
		t.Errorf("%d minutes with %v orders", len(minutes), placed)
	}

	for _, n := range []int{0, -1, 1441} {
		if a := s.AskAs(merchant.Access, board, graphtest.Vars{"n": n}); len(a.Errors) != 1 || a.Errors[0].Extensions["code"] != "BAD_USER_INPUT" || a.Errors[0].Extensions["field"] != "minutes" {
			t.Errorf("%d minutes: %s", n, a.Body)
		}
	}
	if got := graphtest.Get(s.DoAs(merchant.Access, board, graphtest.Vars{"n": 1440}), "shopActivity.minutes").([]any); len(got) != 1440 {
		t.Errorf("a day has %d minutes", len(got))
	}
}

const watchShop = `subscription { shopActivity(minutes: 3) { minutes { at } total { placed confirmed } } }`

func TestTheShopIsWatchedOverASocket(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, nil)
	merchant := s.Staff(identity.Merchant)
	ws := shopSocket(t, s, merchant.Access)
	ws.send(map[string]any{"id": "1", "type": "subscribe", "payload": map[string]any{"query": watchShop}})
	if first := ws.event(); graphtest.Get(first, "total.placed") != 0. || len(graphtest.Get(first, "minutes").([]any)) != 3 {
		t.Errorf("first came %v", first)
	}
	s.Buy("", "Wool Scarf")
	for {
		if e := ws.event(); graphtest.Get(e, "total.confirmed") == 1. {
			break
		}
	}
	// Who has another role has another session: this one's connections end.
	_, key, _ := strings.Cut(merchant.ID, "Customer/")
	if _, err := s.Accounts.SetRoles(t.Context(), identity.Ourselves(), key, []identity.Role{identity.Support}); err != nil {
		t.Fatal(err)
	}
	for {
		if m, why := ws.receive(); why != nil {
			if websocket.CloseStatus(why) != 4401 {
				t.Errorf("the socket ends with %v", why)
			}
			break
		} else if m.Type != "next" {
			t.Fatalf("got %s %s", m.Type, m.Payload)
		}
	}
}

// The services decide each time who may watch; what cannot be had for a moment
// ends nothing.
func TestARightToWatchTheShopIsWithdrawn(t *testing.T) {
	t.Parallel()
	var trouble atomic.Pointer[fault.Error]
	s := graphtest.New(t, func(o *graph.Options) { o.Activity = fickleBoard{o.Activity, &trouble} })
	admin := s.Staff(identity.Admin)
	stream := eventsAs(t, s, admin.Access, watchShop, nil)
	ws := shopSocket(t, s, admin.Access)
	ws.send(map[string]any{"id": "1", "type": "subscribe", "payload": map[string]any{"query": watchShop}})
	ws.event()
	next(t, stream)

	trouble.Store(fault.New(fault.Unavailable, "test.away", "Away."))
	if a := s.AskAs(admin.Access, `{ shopActivity { at } }`, nil); len(a.Errors) != 1 || a.Errors[0].Extensions["code"] != "UNAVAILABLE" {
		t.Errorf("%s", a.Body)
	}
	s.Buy("", "Wool Scarf")
	trouble.Store(nil)
	for graphtest.Get(ws.event(), "total.placed") != 1. {
	}
	for graphtest.Get(next(t, stream).Data, "shopActivity.total.placed") != 1. {
	}

	trouble.Store(activity.ErrForbidden)
	s.Buy("", "Wool Scarf")
	for {
		m, why := ws.receive()
		if why != nil {
			t.Fatal(why)
		}
		if m.Type == "next" && strings.Contains(string(m.Payload), `"data":{`) {
			continue
		}
		if m.Type != "error" || !strings.Contains(string(m.Payload), "FORBIDDEN") {
			t.Errorf("got %s %s", m.Type, m.Payload)
		}
		break
	}
	for {
		e := next(t, stream)
		if len(e.Errors) == 0 {
			continue
		}
		if e.Errors[0].Extensions["code"] != "FORBIDDEN" || !next(t, stream).done {
			t.Errorf("got %+v", e)
		}
		break
	}
}

// A fickleBoard is read as long as there is no trouble. Everybody else's
// trouble does not concern the program itself.
type fickleBoard struct {
	activity.Board
	trouble *atomic.Pointer[fault.Error]
}

func (f fickleBoard) Read(ctx context.Context, who identity.Caller, from time.Time) (activity.Report, error) {
	if why := f.trouble.Load(); why != nil && !who.Is(identity.System) {
		return activity.Report{}, why
	}
	return f.Board.Read(ctx, who, from)
}

func TestWithoutActivityThereIsNoBoard(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, func(o *graph.Options) { o.Activity = nil })
	admin := s.Staff(identity.Admin)
	refused(t, eventsAs(t, s, admin.Access, watchShop, nil), "UNAVAILABLE")
	if a := s.AskAs(admin.Access, `{ shopActivity { at } }`, nil); len(a.Errors) != 1 || a.Errors[0].Extensions["code"] != "UNAVAILABLE" {
		t.Errorf("%s", a.Body)
	}
}

// A boardSocket is a WebSocket of somebody who watches the shop.
type boardSocket struct {
	t   *testing.T
	ctx context.Context
	ws  *websocket.Conn
}

type socketMessage struct {
	Type    string
	Payload json.RawMessage
}

func shopSocket(t *testing.T, s *graphtest.Shop, access string) boardSocket {
	t.Helper()
	ctx, give := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(give)
	ws, _, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(s.URL, "http")+"/graphql", &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ws.CloseNow() })
	b := boardSocket{t, ctx, ws}
	b.send(map[string]any{"type": "connection_init", "payload": map[string]any{"authorization": "Bearer " + access}})
	if m, why := b.receive(); why != nil || m.Type != "connection_ack" {
		t.Fatal(m.Type, why)
	}
	return b
}

func (b boardSocket) send(message map[string]any) {
	b.t.Helper()
	text, err := json.Marshal(message)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := b.ws.Write(b.ctx, websocket.MessageText, text); err != nil {
		b.t.Fatal(err)
	}
}

// receive is the next message that is no ping, or why there is none.
func (b boardSocket) receive() (m socketMessage, why error) {
	b.t.Helper()
	for {
		_, text, err := b.ws.Read(b.ctx)
		if err != nil {
			return m, err
		}
		if err := json.Unmarshal(text, &m); err != nil {
			b.t.Fatalf("%v: %s", err, text)
		}
		if m.Type != "ping" {
			return m, nil
		}
	}
}

// event is what the board shows next.
func (b boardSocket) event() any {
	b.t.Helper()
	m, why := b.receive()
	var a graphtest.Answer
	if why != nil || m.Type != "next" || json.Unmarshal(m.Payload, &a) != nil || len(a.Errors) > 0 {
		b.t.Fatalf("got %s %s (%v)", m.Type, m.Payload, why)
	}
	return a.Data["shopActivity"]
}
