package graph_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ordergraph/graph"
	"ordergraph/graph/graphtest"
	"ordergraph/platform/identity"
	"ordergraph/services/order"
)

// An event is one answer of a subscription; done is its end.
type event struct {
	graphtest.Answer
	done bool
}

// events subscribes over server-sent events.
func events(t *testing.T, s *graphtest.Shop, query string, vars graphtest.Vars) <-chan event {
	t.Helper()
	return eventsAs(t, s, "", query, vars)
}

// eventsAs is events of who has the access token.
func eventsAs(t *testing.T, s *graphtest.Shop, token, query string, vars graphtest.Vars) <-chan event {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": vars})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/graphql", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "text/event-stream")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	got, read := make(chan event), make(chan struct{})
	t.Cleanup(func() { cancel(); _ = response.Body.Close(); <-read })
	go func() {
		defer close(read)
		lines := bufio.NewScanner(response.Body)
		for lines.Scan() {
			var e event
			switch data, ok := strings.CutPrefix(lines.Text(), "data: "); {
			case lines.Text() == "event: complete":
				e.done = true
			case !ok || data == "":
				continue
			default:
				if err := json.Unmarshal([]byte(data), &e); err != nil {
					t.Errorf("not JSON: %s", data)
				}
			}
			select {
			case got <- e:
			case <-ctx.Done():
				return
			}
		}
	}()
	return got
}

func next(t *testing.T, from <-chan event) event {
	t.Helper()
	select {
	case e := <-from:
		return e
	case <-time.After(30 * time.Second):
		t.Fatal("nothing arrives")
		return event{}
	}
}

// refused expects an error with this code, then the end.
func refused(t *testing.T, from <-chan event, code string) {
	t.Helper()
	e := next(t, from)
	if len(e.Errors) != 1 || e.Errors[0].Extensions["code"] != code {
		t.Errorf("got %+v, want an error %s", e, code)
	}
	if e := next(t, from); !e.done {
		t.Errorf("got %+v after an error, want the end", e)
	}
}

// buy places an order and returns its id and its access token.
func buy(t *testing.T, s *graphtest.Shop) (id, token any) {
	t.Helper()
	data := s.Do(checkout, graphtest.Vars{"in": input(fill(t, s, "Ocean Blue T-Shirt", 1), "to-be-watched", "pm_card_visa")})
	return graphtest.Get(data, "checkout.order.id"), graphtest.Get(data, "checkout.accessToken")
}

const cancel = `mutation($in: OrderCancelInput!) { orderCancel(input: $in) { order { status } userErrors { code } } }`

const watch = `subscription($id: ID!, $token: String, $after: Int) {
	orderStatus(orderId: $id, accessToken: $token, afterVersion: $after) { version status lines { variant { title } } }
}`

func TestAnOrderIsWatched(t *testing.T) {
	s := graphtest.New(t, nil)
	id, token := buy(t, s)
	all := events(t, s, watch, graphtest.Vars{"id": id, "token": token})
	first := next(t, all)
	version := graphtest.Get(first.Data, "orderStatus.version").(float64)
	if len(first.Errors) > 0 || graphtest.Get(first.Data, "orderStatus.status") != "CONFIRMED" || graphtest.Get(first.Data, "orderStatus.lines.0.variant.title") == nil {
		t.Fatalf("first came %+v", first)
	}
	later := events(t, s, watch, graphtest.Vars{"id": id, "token": token, "after": version})

	s.Do(cancel, graphtest.Vars{"in": graphtest.Vars{"orderId": id, "accessToken": token}})
	for name, from := range map[string]<-chan event{"from the start": all, "after what was seen": later} {
		for last := version; ; {
			e := next(t, from)
			now, ok := graphtest.Get(e.Data, "orderStatus.version").(float64)
			if !ok || now <= last {
				t.Fatalf("%s: %+v after version %v", name, e, last)
			}
			if last = now; graphtest.Get(e.Data, "orderStatus.status") == "REFUNDED" {
				break
			}
		}
	}
}

func TestWhoMayNotWatch(t *testing.T) {
	var who identity.Caller
	s := graphtest.New(t, func(o *graph.Options) { o.Sessions = graphtest.Sessions(func() identity.Caller { return who }) })
	id, token := buy(t, s)
	refused(t, events(t, s, watch, graphtest.Vars{"id": id, "token": "wrong"}), "NOT_FOUND")
	refused(t, events(t, s, watch, graphtest.Vars{"id": id}), "NOT_FOUND")
	refused(t, events(t, s, watch, graphtest.Vars{"id": "gid://ordergraph/Order/none", "token": token}), "NOT_FOUND")
	refused(t, events(t, s, watch, graphtest.Vars{"id": "nonsense"}), "NOT_FOUND")

	who = identity.Caller{Roles: []identity.Role{identity.Support}}
	if e := next(t, events(t, s, watch, graphtest.Vars{"id": id})); len(e.Errors) > 0 {
		t.Errorf("staff: %+v", e)
	}
}

func TestWithoutAHubNothingIsWatched(t *testing.T) {
	s := graphtest.New(t, func(o *graph.Options) { o.Live = nil })
	id, token := buy(t, s)
	refused(t, events(t, s, watch, graphtest.Vars{"id": id, "token": token}), "UNAVAILABLE")
}

func TestARightIsWithdrawn(t *testing.T) {
	var withdrawn atomic.Bool
	s := graphtest.New(t, func(o *graph.Options) { o.Order = fickle{o.Order, &withdrawn} })
	id, token := buy(t, s)
	watching := events(t, s, watch, graphtest.Vars{"id": id, "token": token})
	if e := next(t, watching); len(e.Errors) > 0 {
		t.Fatalf("%+v", e)
	}
	withdrawn.Store(true)
	s.Do(cancel, graphtest.Vars{"in": graphtest.Vars{"orderId": id, "accessToken": token}})
	refused(t, watching, "NOT_FOUND")
}

// fickle orders are refused once the right to them is withdrawn.
type fickle struct {
	order.Service
	withdrawn *atomic.Bool
}

func (f fickle) Get(ctx context.Context, who identity.Caller, id, token string) (order.Order, error) {
	if f.withdrawn.Load() {
		return order.Order{}, order.ErrNotFound
	}
	return f.Service.Get(ctx, who, id, token)
}
