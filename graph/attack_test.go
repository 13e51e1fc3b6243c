package graph_test

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"ordergraph/graph/gengql"
	"ordergraph/graph/graphtest"
	"ordergraph/platform/identity"
	"ordergraph/platform/token"
	"ordergraph/services/account"
	"ordergraph/services/account/accounttest"
)

// Tokens that the account service has not signed, or not for this gateway, or
// not for now, are refused over HTTP and over WebSocket.
func TestForgedTokens(t *testing.T) {
	s := graphtest.New(t, nil)
	ada := s.Customer("ada@example.org")
	s.Accounts.Staff(identity.Admin)
	part := strings.Split(ada.Access, ".")
	var head struct{ Kid string }
	var body map[string]any
	decode(t, part[0], &head)
	decode(t, part[1], &body)
	keys, err := s.Accounts.Keys(t.Context())
	s.Accounts.Must(err)
	published, err := base64.RawURLEncoding.DecodeString(keys[0].X)
	s.Accounts.Must(err)

	public, private, err := ed25519.GenerateKey(rand.Reader)
	s.Accounts.Must(err)
	claims := token.Claims{
		ID: "forged", Account: "the-admin", SessionID: "forged", Roles: []identity.Role{identity.Admin},
		IssuedAt: time.Now(), Expires: time.Now().Add(time.Hour),
	}
	forge := func(kid string) string {
		raw, err := token.Signer{Issuer: accounttest.Issuer, Audience: accounttest.Audience, Key: private, KeyID: kid}.Sign(claims)
		s.Accounts.Must(err)
		return raw
	}
	unsigned := func(alg string) string {
		return encode(t, map[string]any{"alg": alg, "typ": "at+jwt", "kid": head.Kid}) + "." + encode(t, with(body, "roles", []string{"admin"})) + "."
	}
	hs256 := func() string {
		text := encode(t, map[string]any{"alg": "HS256", "typ": "at+jwt", "kid": head.Kid}) + "." + encode(t, with(body, "roles", []string{"admin"}))
		m := hmac.New(sha256.New, published)
		m.Write([]byte(text))
		return text + "." + base64.RawURLEncoding.EncodeToString(m.Sum(nil))
	}
	// Copies of the account service sign with the real key.
	signed := func(set func(*account.Options)) string {
		k := s.Accounts.Copy(func(o *account.Options) { o.Now = s.Accounts.Clock.Now; set(o) })
		return s.Accounts.Enter(k, "admin@shop.example").Access
	}
	tokens := map[string]string{
		"a stranger's key":              forge(token.KeyOf(public).ID),
		"a stranger's key by our name":  forge(head.Kid),
		"no algorithm":                  unsigned("none"),
		"no algorithm, loud":            unsigned("NONE"),
		"our public key as a secret":    hs256(),
		"other claims, same signature":  part[0] + "." + encode(t, with(body, "roles", []string{"admin"})) + "." + part[2],
		"another audience":              signed(func(o *account.Options) { o.Audience = "https://other.example" }),
		"another issuer":                signed(func(o *account.Options) { o.Issuer = "https://other.example" }),
		"operators of a query language": `{"$gt":""}`,
	}
	if a := s.AskAs(signed(func(*account.Options) {}), whoAmI, nil); graphtest.Get(a.Data, "customer.email") != "admin@shop.example" {
		t.Fatalf("an honest copy's token: %s", a.Body)
	}
	for name, raw := range tokens {
		if a := s.AskAs(raw, whoAmI, nil); a.Status != 401 || a.Data != nil || a.Errors[0].Extensions["code"] != "UNAUTHENTICATED" {
			t.Errorf("%s: %d %s", name, a.Status, a.Body)
		}
		if a := s.Ask(`query ($t: String) { customer(customerAccessToken: $t) { email } }`, graphtest.Vars{"t": raw}); len(a.Errors) > 0 || graphtest.Get(a.Data, "customer") != nil {
			t.Errorf("%s, as an argument: %s", name, a.Body)
		}
		b := newBrowser(t, s)
		b.cookies[accessCookie] = &http.Cookie{Value: raw}
		if a := b.send(b.own(), whoAmI, nil); len(a.Errors) > 0 || graphtest.Get(a.Data, "customer") != nil {
			t.Errorf("%s, in a cookie: %s", name, a.Body)
		}
		ws := newBrowser(t, s).upgrade(nil, http.StatusSwitchingProtocols)
		ws.send(map[string]any{"type": "connection_init", "payload": map[string]any{"authorization": "Bearer " + raw}})
		if got := ws.receive(); !strings.Contains(got, "4403") {
			t.Errorf("%s, over a socket: %s", name, got)
		}
	}
	s.Accounts.Clock.Pass(account.AccessFor)
	if a := s.AskAs(ada.Access, whoAmI, nil); a.Status != 401 || a.Errors[0].Extensions["reason"] != "token.expired" {
		t.Errorf("expired: %d %s", a.Status, a.Body)
	}
}

func decode(t *testing.T, part string, into any) {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(part)
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func encode(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

func with(claims map[string]any, name string, value any) map[string]any {
	other := map[string]any{name: value}
	for n, v := range claims {
		if n != name {
			other[n] = v
		}
	}
	return other
}

// What belongs to Bob does not exist for anybody else who knows its id.
func TestWhatIsSomebodyElses(t *testing.T) {
	s := graphtest.New(t, nil)
	ada, bob := s.Customer("ada@example.org"), s.Customer("bob@example.org")
	bought, cart := s.Buy(bob.Access, "Café Mug"), s.Fill(bob.Access, "Café Mug")
	vars := graphtest.Vars{"order": bought.Order, "cart": cart, "customer": bob.ID, "line": "gid://ordergraph/CartLine/x"}
	for who, access := range map[string]string{"a customer": ada.Access, "a guest": ""} {
		for name, op := range map[string]string{
			"order":             `query ($order: ID!) { order(id: $order) { id number } }`,
			"order by node":     `query ($order: ID!) { node(id: $order) { id } }`,
			"customer by node":  `query ($customer: ID!) { node(id: $customer) { id ... on Customer { email } } }`,
			"orderCancel":       `mutation ($order: ID!) { orderCancel(input: {orderId: $order}) { order { id } } }`,
			"export":            `mutation ($customer: ID!) { customerDataExport(customerId: $customer) { data } }`,
			"erase":             `mutation ($customer: ID!) { customerErase(input: {customerId: $customer, password: "seven green teapots"}) { erased } }`,
			"buyer of the cart": `query ($cart: ID!) { cart(id: $cart) { buyerIdentity { email phone customer { id email } } } }`,
		} {
			names := graphtest.Vars{}
			for name, value := range vars {
				if strings.Contains(op, "$"+name+":") {
					names[name] = value
				}
			}
			a := s.AskAs(access, op, names)
			if text := string(a.Body); a.Status != 200 || strings.Contains(text, "bob@") || strings.Contains(text, bob.ID) || strings.Contains(text, "INTERNAL") || strings.Contains(text, bought.Order) || strings.Contains(text, `:true`) {
				t.Errorf("%s, %s: %d %s", who, name, a.Status, text)
			}
		}
		a := s.Send(http.MethodPost, "", map[string]string{"Content-Type": "application/json", "Accept": "text/event-stream", "Authorization": "Bearer " + access},
			s.Body(`subscription ($order: ID!) { orderStatus(orderId: $order) { id } }`, graphtest.Vars{"order": bought.Order}))
		if text := string(a.Body); !strings.Contains(text, `"NOT_FOUND"`) || strings.Contains(text, bought.Order) {
			t.Errorf("%s, orderStatus: %s", who, text)
		}
	}
	if got := s.DoAs(bob.Access, `query ($order: ID!) { order(id: $order) { status } customer { email } }`, graphtest.Vars{"order": bought.Order}); graphtest.Get(got, "order.status") != "CONFIRMED" || graphtest.Get(got, "customer.email") != bob.Email {
		t.Errorf("Bob himself: %v", got)
	}
}

// Ten thousand guesses at an order's access token find nothing, and do not even
// learn that there is such an order.
func TestOrderTokensCannotBeGuessed(t *testing.T) {
	s := graphtest.New(t, nil)
	bought := s.Buy("", "Café Mug")
	const each = 100
	for round := range 100 {
		var op strings.Builder
		op.WriteString("query ($o: ID!, $n: ID!) {")
		for i := range each / 2 {
			guess := rand.Text()
			switch i % 4 {
			case 1:
				guess = bought.Token[:len(bought.Token)-1]
			case 2:
				guess = strings.ToLower(bought.Token)
			case 3:
				guess = bought.Token[:1+round%(len(bought.Token)-1)] + guess
			}
			fmt.Fprintf(&op, "a%d: order(id: $o, accessToken: %q) { id } b%d: order(id: $n, accessToken: %q) { id }", i, guess, i, guess)
		}
		a := s.Ask(op.String()+"}", graphtest.Vars{"o": bought.Order, "n": "gid://ordergraph/Order/there-is-no-such-order"})
		if len(a.Errors) > 0 || len(a.Data) != each {
			t.Fatalf("%d %.500s", a.Status, a.Body)
		}
		for name, found := range a.Data {
			if found != nil {
				t.Fatalf("%s is found: %v", name, found)
			}
		}
	}
	if got := s.Do(`query ($o: ID!, $t: String!) { order(id: $o, accessToken: $t) { status } }`, graphtest.Vars{"o": bought.Order, "t": bought.Token}); graphtest.Get(got, "order.status") != "CONFIRMED" {
		t.Errorf("by its own token: %v", got)
	}
}

// attacks are texts that mean something in query languages and stores.
var attacks = []string{
	`{"$gt":""}`, `{"$ne":null}`, `$where: 1==1`, `' || '1'=='1`, `'; return true; var x='`, `{"$regex":".*"}`,
	"gid://ordergraph/Order/{\"$gt\":\"\"}", "gid://ordergraph/Customer/$ne", "*", "\x00", "../../etc/passwd", "\U0010FFFF\ufeff", `.*`, "%00",
}

// operators are objects where texts belong.
var operators = []any{map[string]any{"$gt": ""}, map[string]any{"$ne": nil}, []any{map[string]any{"$regex": ".*"}}}

// Every text, id and custom scalar that the schema takes is given operators of
// query languages, as texts and as objects: nobody learns what is others', and
// nothing of ours breaks.
func TestOperatorsMeanNothing(t *testing.T) {
	s := graphtest.New(t, nil)
	s.Customer("ada@example.org")
	s.Accounts.Staff(identity.Admin)
	bob := s.Customer("bob@example.org")
	bought := s.Buy(bob.Access, "Café Mug")
	secrets := []string{"bob@example.org", bob.ID, bob.Session, bought.Order, bought.Token, "Hafenstrasse"}
	schema := gengql.NewExecutableSchema(gengql.Config{}).Schema()
	// From a network of their own: here there are too many wrong passwords.
	enter := func(email string) string { return s.Accounts.Enter(s.Accounts.Keeper, email).Access }
	asked, reached := 0, map[string]bool{}
	for _, kind := range []*ast.Definition{schema.Query, schema.Mutation, schema.Subscription} {
		for _, field := range kind.Fields {
			if strings.HasPrefix(field.Name, "__") || len(field.Arguments) == 0 {
				continue
			}
			// Pages are read forwards, and then backwards.
			for _, without := range [][]string{{"last", "before"}, {"first", "after"}} {
				if without[0] == "first" && field.Arguments.ForName("last") == nil {
					continue
				}
				w := walker{schema, without}
				query := w.operation(strings.ToLower(kind.Name), field)
				for who, email := range map[string]string{"a guest": "", "a customer": "ada@example.org", "an admin": "admin@shop.example"} {
					access := ""
					if email != "" {
						access = enter(email)
					}
					try := func(what string, vars graphtest.Vars, wantError bool) {
						t.Helper()
						asked++
						header := map[string]string{"Content-Type": "application/json"}
						if access != "" {
							header["Authorization"] = "Bearer " + access
						}
						if kind == schema.Subscription {
							header["Accept"] = "text/event-stream, application/json"
						}
						a := s.Send(http.MethodPost, "", header, s.Body(query, vars))
						if a.Status == 401 { // an attack has signed us out
							access = enter(email)
							return
						}
						text := string(a.Body)
						if a.Status >= 500 || strings.Contains(text, "INTERNAL_SERVER_ERROR") || strings.Contains(text, "UNAVAILABLE") || strings.Contains(text, "THROTTLED\",\"reason\":\"graph") {
							t.Errorf("%s, %s as %s: %d %.600s", field.Name, what, who, a.Status, text)
						}
						if strings.Contains(text, `"data"`) || strings.Contains(text, "NOT_FOUND") {
							reached[field.Name] = true
						}
						if wantError && !strings.Contains(text, `"errors"`) {
							t.Errorf("%s, %s as %s is taken: %.600s", field.Name, what, who, text)
						}
						if who == "an admin" {
							return
						}
						for _, secret := range secrets {
							if strings.Contains(text, secret) {
								t.Errorf("%s, %s as %s tells %s: %.600s", field.Name, what, who, secret, text)
							}
						}
					}
					for _, attack := range attacks {
						try(fmt.Sprintf("%q", attack), w.variables(field, attack), false)
					}
					for leaf := range w.leaves(field) {
						for _, operator := range operators {
							try(fmt.Sprintf("%v at text %d", operator, leaf), w.spoiled(field, leaf, operator), true)
						}
					}
				}
			}
			if !reached[field.Name] {
				t.Errorf("%s was never executed", field.Name)
			}
		}
	}
	t.Logf("%d operations", asked)
	if log := s.Log.String(); strings.Contains(log, "level=ERROR") || strings.Contains(log, "panic") {
		t.Errorf("the log has %.2000s", log)
	}
	if got := s.DoAs(enter("bob@example.org"), `{ customer { email firstName } }`, nil); graphtest.Get(got, "customer.firstName") != "Ada" {
		t.Errorf("Bob is now %v", got)
	}
}

// A walker makes operations of all that the schema has.
type walker struct {
	schema  *ast.Schema
	without []string // arguments
}

func (w walker) arguments(field *ast.FieldDefinition) ast.ArgumentDefinitionList {
	return slices.DeleteFunc(slices.Clone(field.Arguments), func(a *ast.ArgumentDefinition) bool { return slices.Contains(w.without, a.Name) })
}

// operation asks for the field with all its arguments as variables.
func (w walker) operation(kind string, field *ast.FieldDefinition) string {
	var declared, given []string
	for _, a := range w.arguments(field) {
		declared = append(declared, "$"+a.Name+": "+a.Type.String())
		given = append(given, a.Name+": $"+a.Name)
	}
	return fmt.Sprintf("%s (%s) { %s(%s) %s }", kind, strings.Join(declared, ", "), field.Name, strings.Join(given, ", "), w.selection(field.Type.Name(), 3))
}

// selection is what can be asked for of a type, two of each list.
func (w walker) selection(name string, depth int) string {
	d := w.schema.Types[name]
	if d.IsLeafType() {
		return ""
	}
	fields := []string{"__typename"}
	for _, f := range d.Fields {
		of := w.schema.Types[f.Type.Name()]
		wants := func(a *ast.ArgumentDefinition) bool {
			return a.Name != "first" && a.Type.NonNull && a.DefaultValue == nil
		}
		if strings.HasPrefix(f.Name, "__") || slices.ContainsFunc(f.Arguments, wants) || !of.IsLeafType() && depth == 0 {
			continue
		}
		some := ""
		if f.Arguments.ForName("first") != nil {
			some = "(first: 2)"
		}
		fields = append(fields, f.Name+some+" "+w.selection(f.Type.Name(), depth-1))
	}
	return "{ " + strings.Join(fields, " ") + " }"
}

// variables are all arguments, with the text wherever one belongs.
func (w walker) variables(field *ast.FieldDefinition, text any) graphtest.Vars {
	return w.fill(field, func() any { return text })
}

// spoiled are good variables but for one.
func (w walker) spoiled(field *ast.FieldDefinition, leaf int, bad any) graphtest.Vars {
	n := -1
	return w.fill(field, func() any {
		if n++; n == leaf {
			return bad
		}
		return "text"
	})
}

// leaves is how many texts there are.
func (w walker) leaves(field *ast.FieldDefinition) (n int) {
	w.fill(field, func() any { n++; return "" })
	return n
}

func (w walker) fill(field *ast.FieldDefinition, text func() any) graphtest.Vars {
	vars := graphtest.Vars{}
	for _, a := range w.arguments(field) {
		vars[a.Name] = w.value(a.Type, text, 4)
	}
	return vars
}

func (w walker) value(t *ast.Type, text func() any, depth int) any {
	if t.Elem != nil {
		return []any{w.value(t.Elem, text, depth)}
	}
	switch d := w.schema.Types[t.NamedType]; {
	case d.Kind == ast.Enum:
		return d.EnumValues[0].Name
	case d.Kind == ast.InputObject:
		object := map[string]any{}
		for _, f := range d.Fields {
			if depth > 0 || f.Type.NonNull {
				object[f.Name] = w.value(f.Type, text, depth-1)
			}
		}
		return object
	case d.Name == "Int":
		return 1
	case d.Name == "Float":
		return 1.5
	case d.Name == "Boolean":
		return true
	}
	return text()
}
