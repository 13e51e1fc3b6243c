package session_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"ordergraph/graph/graphtest"
	"ordergraph/platform/identity"
)

const (
	whoAmI = `{ customer { email } }`
	watch  = `subscription ($id: ID!) { orderStatus(orderId: $id) { status } }`
)

// patience is far longer than anything takes.
const patience = 30 * time.Second

// socket is a WebSocket of somebody, acknowledged.
func socket(t *testing.T, s *graphtest.Shop, access string) *websocket.Conn {
	t.Helper()
	ws, _, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(s.URL, "http"), &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ws.CloseNow() })
	send(t, ws, map[string]any{"type": "connection_init", "payload": map[string]any{"authorization": "Bearer " + access}})
	if got := receive(t, ws); !strings.Contains(got, "connection_ack") {
		t.Fatal(got)
	}
	return ws
}

func send(t *testing.T, ws *websocket.Conn, message any) {
	t.Helper()
	text, err := json.Marshal(message)
	if err != nil {
		t.Fatal(err)
	}
	if err := ws.Write(t.Context(), websocket.MessageText, text); err != nil {
		t.Fatal(err)
	}
}

// receive is the next message that is no ping, or why there is none.
func receive(t *testing.T, ws *websocket.Conn) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		_, text, err := ws.Read(ctx)
		if err != nil {
			return err.Error()
		}
		if !strings.Contains(string(text), `"ping"`) {
			return string(text)
		}
	}
}

// stream subscribes over server-sent events; each line that says something
// arrives, and the end closes it.
func stream(t *testing.T, s *graphtest.Shop, access, order string) <-chan string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL, bytes.NewReader(s.Body(watch, graphtest.Vars{"id": order})))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "text/event-stream")
	r.Header.Set("Authorization", "Bearer "+access)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	lines := make(chan string, 100)
	read := make(chan struct{})
	t.Cleanup(func() { cancel(); _ = response.Body.Close(); <-read })
	go func() {
		defer close(read)
		defer close(lines)
		for scan := bufio.NewScanner(response.Body); scan.Scan(); {
			if data, ok := strings.CutPrefix(scan.Text(), "data: "); ok && data != "" {
				lines <- data
			}
		}
	}()
	return lines
}

func line(t *testing.T, from <-chan string) string {
	t.Helper()
	select {
	case got := <-from:
		return got
	case <-time.After(patience):
		t.Fatal("nothing arrives")
		return ""
	}
}

// Whatever ends a session at one gateway ends it at the other, for requests
// and for what is open.
func TestASessionEndsAtAllGateways(t *testing.T) {
	here := graphtest.New(t, nil)
	there := here.Another()
	world := here.Accounts
	for name, end := range map[string]func(t *testing.T, who graphtest.Somebody){
		"signed out": func(t *testing.T, who graphtest.Somebody) {
			here.DoAs(who.Access, `mutation { customerAccessTokenDelete { deletedCustomerAccessTokenId } }`, nil)
		},
		"signed out everywhere": func(t *testing.T, who graphtest.Somebody) {
			other := here.SignIn(who.Email)
			here.DoAs(other.Access, `mutation { customerSessionsDelete { deleted } }`, nil)
		},
		"a new password": func(t *testing.T, who graphtest.Somebody) {
			other := here.SignIn(who.Email)
			got := here.DoAs(other.Access, `mutation ($in: CustomerPasswordChangeInput!) { customerPasswordChange(input: $in) { changed } }`,
				graphtest.Vars{"in": graphtest.Vars{"currentPassword": graphtest.Password, "password": "eleven yellow ladders"}})
			if graphtest.Get(got, "customerPasswordChange.changed") != true {
				t.Error(got)
			}
			if got := here.DoAs(other.Access, whoAmI, nil); graphtest.Get(got, "customer.email") != who.Email {
				t.Errorf("the session that changed it: %v", got)
			}
		},
		"other roles": func(t *testing.T, who graphtest.Somebody) {
			_, key, _ := strings.Cut(who.ID, "Customer/")
			_, err := world.SetRoles(t.Context(), identity.Ourselves(), key, []identity.Role{identity.Support})
			world.Must(err)
		},
		"forgotten": func(t *testing.T, who graphtest.Somebody) {
			here.DoAs(who.Access, `mutation ($in: CustomerEraseInput!) { customerErase(input: $in) { erased } }`, graphtest.Vars{"in": graphtest.Vars{"password": graphtest.Password}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			ada := here.Customer(strings.ReplaceAll(name, " ", "-") + "@example.org")
			bought := here.Buy(ada.Access, "Café Mug")
			ws, events := socket(t, there, ada.Access), stream(t, there, ada.Access, bought.Order)
			send(t, ws, map[string]any{"id": "1", "type": "subscribe", "payload": map[string]any{"query": watch, "variables": map[string]any{"id": bought.Order}}})
			for what, first := range map[string]string{"the socket": receive(t, ws), "the stream": line(t, events)} {
				if !strings.Contains(first, "CONFIRMED") {
					t.Errorf("%s: %s", what, first)
				}
			}
			bystander := here.SignIn(here.Customer("bystander-" + strings.ReplaceAll(name, " ", "-") + "@example.org").Email)
			still := socket(t, there, bystander.Access)

			end(t, ada)
			if got := receive(t, ws); !strings.Contains(got, "4401") {
				t.Errorf("the socket: %s", got)
			}
			if got := line(t, events); !strings.Contains(got, "UNAUTHENTICATED") {
				t.Errorf("the stream: %s", got)
			}
			here.Until("both gateways refuse the token", func() bool {
				a, b := here.AskAs(ada.Access, whoAmI, nil), there.AskAs(ada.Access, whoAmI, nil)
				return a.Status == 401 && b.Status == 401
			})
			if got := there.AskAs(ada.Access, whoAmI, nil).Errors[0].Extensions; got["code"] != "UNAUTHENTICATED" || got["reason"] != "token.ended" {
				t.Errorf("%v", got)
			}
			send(t, still, map[string]any{"id": "1", "type": "subscribe", "payload": map[string]any{"query": whoAmI}})
			if got := receive(t, still); !strings.Contains(got, bystander.Email) {
				t.Errorf("the bystander: %s", got)
			}
		})
	}
}
