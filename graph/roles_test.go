package graph_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"ordergraph/graph/gengql"
	"ordergraph/graph/graphtest"
	"ordergraph/graph/view"
	"ordergraph/platform/deadletter"
	"ordergraph/platform/fault"
	"ordergraph/platform/identity"
	"ordergraph/platform/identity/identitytest"
	"ordergraph/services/account"
	"ordergraph/services/catalog"
	"ordergraph/services/fulfilment"
	"ordergraph/services/inventory"
	"ordergraph/services/notification"
	"ordergraph/services/order"
)

// columns of testdata/roles.md after the first.
var columns = []string{"guest", "owner", "stranger", "support", "warehouse", "merchant", "admin"}

const (
	problems  = "userErrors { code }"
	problemsC = "customerUserErrors { code }"
	address   = `{firstName: "Ada", lastName: "Lovelace", address1: "Hafenstrasse 1", city: "Hamburg", zip: "20359", countryCode: DE}`
)

// visits are the operations of the walk by the rows of the table, one for each
// field of Query, Mutation and Subscription at least, with arguments that
// work for who may. What belongs to somebody is the owner's. Of words that
// begin with $ see fill. A row that begins with ! leaves its people changed,
// and is walked by new ones each time.
var visits = map[string]string{
	"Query.node":                   `{ node(id: "$product") { id } }`,
	"Query.nodes":                  `{ nodes(ids: ["$product"]) { id } }`,
	"Query.cart":                   `{ cart(id: "$cart") { id } }`,
	"Query.collection":             `{ collection(handle: "all") { id } }`,
	"Query.collectionByHandle":     `{ collectionByHandle(handle: "all") { id } }`,
	"Query.collections":            `{ collections(first: 1) { nodes { id } } }`,
	"Query.menu":                   `{ menu(handle: "main") { id } }`,
	"Query.page":                   `{ page(handle: "about") { id } }`,
	"Query.pageByHandle":           `{ pageByHandle(handle: "about") { id } }`,
	"Query.pages":                  `{ pages(first: 1) { nodes { id } } }`,
	"Query.blog":                   `{ blog(handle: "news") { id } }`,
	"Query.customer":               `{ customer { id } }`,
	"Query.localization":           `{ localization { country { isoCode } } }`,
	"Query.invoice":                `{ invoice(orderId: "$order") { id } }`,
	"Query.order":                  `{ order(id: "$order") { id } }`,
	"Query.orders":                 `{ orders(first: 100) { nodes { id } } }`,
	"Query.product":                `{ product(id: "$product") { id } }`,
	"Query.productByHandle":        `{ productByHandle(handle: "wool-scarf") { id } }`,
	"Query.products":               `{ products(first: 1) { nodes { id } } }`,
	"Query.productRecommendations": `{ productRecommendations(productId: "$product") { id } }`,
	"Query.productTags":            `{ productTags(first: 1) { edges { node } } }`,
	"Query.productTypes":           `{ productTypes(first: 1) { edges { node } } }`,
	"Query.search":                 `{ search(query: "mug", first: 1) { totalCount } }`,
	"Query.predictiveSearch":       `{ predictiveSearch(query: "mug") { products { id } } }`,
	"Query.shop":                   `{ shop { name } }`,
	"Query.customers":              `{ customers(first: 100) { nodes { id orders(first: 1) { nodes { id } } } } }`,
	"Query.notifications":          `{ notifications(subjectId: "$told") { id } }`,
	"Query.stock":                  `{ stock(sku: "$sku") { levels { onHand } } }`,
	"Query.stocks":                 `{ stocks(first: 1) { nodes { sku } } }`,
	"Query.warehouses":             `{ warehouses { id } }`,

	"Order.facts":           `{ order(id: "$order", accessToken: "$orderToken") { id facts { nodes { id } } } }`,
	"Order.paymentAttempts": `{ order(id: "$order", accessToken: "$orderToken") { paymentAttempts { kind } } }`,
	"Order.reservation":     `{ order(id: "$order", accessToken: "$orderToken") { reservation { status } } }`,

	"Query.consignments":          `{ consignments(first: 1) { nodes { id } } }`,
	"Mutation.consignmentPick":    `mutation { consignmentPick(id: "gid://ordergraph/Fulfillment/none") { ` + problems + ` } }`,
	"Mutation.consignmentPack":    `mutation { consignmentPack(id: "gid://ordergraph/Fulfillment/none") { ` + problems + ` } }`,
	"Mutation.consignmentShip":    `mutation { consignmentShip(id: "gid://ordergraph/Fulfillment/none") { ` + problems + ` } }`,
	"Mutation.consignmentDeliver": `mutation { consignmentDeliver(id: "gid://ordergraph/Fulfillment/none") { ` + problems + ` } }`,
	"Mutation.consignmentFail":    `mutation { consignmentFail(id: "gid://ordergraph/Fulfillment/none") { ` + problems + ` } }`,
	"Mutation.consignmentReturn":  `mutation { consignmentReturn(id: "gid://ordergraph/Fulfillment/none") { ` + problems + ` } }`,

	"Mutation.cartCreate":              `mutation { cartCreate { cart { id } ` + problems + ` } }`,
	"Mutation.cartLinesAdd":            `mutation { cartLinesAdd(cartId: "$cart", lines: [{merchandiseId: "$variant"}]) { cart { id } ` + problems + ` } }`,
	"Mutation.cartLinesUpdate":         `mutation { cartLinesUpdate(cartId: "$cart", lines: []) { cart { id } ` + problems + ` } }`,
	"Mutation.cartLinesRemove":         `mutation { cartLinesRemove(cartId: "$cart", lineIds: []) { cart { id } ` + problems + ` } }`,
	"Mutation.cartBuyerIdentityUpdate": `mutation { cartBuyerIdentityUpdate(cartId: "$cart", buyerIdentity: {countryCode: FR}) { cart { id } ` + problems + ` } }`,
	"Mutation.cartNoteUpdate":          `mutation { cartNoteUpdate(cartId: "$cart", note: "x") { cart { id } ` + problems + ` } }`,
	"Mutation.cartAttributesUpdate":    `mutation { cartAttributesUpdate(cartId: "$cart", attributes: []) { cart { id } ` + problems + ` } }`,
	"Mutation.cartDiscountCodesUpdate": `mutation { cartDiscountCodesUpdate(cartId: "$cart", discountCodes: ["A"]) { cart { id } ` + problems + ` } }`,
	"Mutation.checkout": `mutation { checkout(input: {cartId: "$cart", idempotencyKey: "$key", email: "ada@example.org",
		shippingAddress: ` + address + `, payment: {method: "pm_card_visa"}}) { order { id } ` + problems + ` } }`,
	"!Mutation.orderRefund": `mutation { orderRefund(input: {orderId: "$order", idempotencyKey: "$key", amount: {amount: "0.01", currencyCode: EUR}}) { order { id } ` + problems + ` } }`,
	"!Mutation.orderCancel": `mutation { orderCancel(input: {orderId: "$order"}) { order { id } ` + problems + ` } }`,

	"Mutation.customerCreate":                `mutation { customerCreate(input: {email: "$key@example.com", password: "$password"}) { ` + problemsC + ` } }`,
	"Mutation.customerEmailVerificationSend": `mutation { customerEmailVerificationSend(email: "$email") { ` + problemsC + ` } }`,
	"Mutation.customerEmailVerify":           `mutation { customerEmailVerify(token: "$verify") { verified ` + problemsC + ` } }`,
	"Mutation.customerAccessTokenCreate":     `mutation { customerAccessTokenCreate(input: {email: "$email", password: "$password"}) { customer { id } ` + problemsC + ` } }`,
	"!Mutation.customerAccessTokenRenew":     `mutation { customerAccessTokenRenew(refreshToken: "$refresh") { customerAccessToken { accessToken } ` + problems + ` } }`,
	"!Mutation.customerAccessTokenDelete":    `mutation { customerAccessTokenDelete { deletedCustomerAccessTokenId ` + problems + ` } }`,
	"!Mutation.customerSessionsDelete":       `mutation { customerSessionsDelete { deleted ` + problems + ` } }`,
	"Mutation.customerRecover":               `mutation { customerRecover(email: "$email") { ` + problemsC + ` } }`,
	"!Mutation.customerReset":                `mutation { customerReset(input: {resetToken: "$reset", password: "$password"}) { reset ` + problemsC + ` } }`,
	"!Mutation.customerPasswordChange":       `mutation { customerPasswordChange(input: {currentPassword: "$password", password: "$password"}) { changed ` + problemsC + ` } }`,
	"Mutation.customerUpdate":                `mutation { customerUpdate(customer: {firstName: "Ada"}) { customer { id } ` + problemsC + ` } }`,
	"!Mutation.customerAddressCreate":        `mutation { customerAddressCreate(address: ` + address + `) { customerAddress { id } ` + problemsC + ` } }`,
	"Mutation.customerAddressUpdate":         `mutation { customerAddressUpdate(id: "$address", address: ` + address + `) { customerAddress { id } ` + problemsC + ` } }`,
	"!Mutation.customerAddressDelete":        `mutation { customerAddressDelete(id: "$address") { deletedCustomerAddressId ` + problemsC + ` } }`,
	"Mutation.customerDefaultAddressUpdate":  `mutation { customerDefaultAddressUpdate(addressId: "$address") { customer { id } ` + problemsC + ` } }`,
	"Mutation.customerDataExport":            `mutation { customerDataExport(customerId: "$owner") { data ` + problems + ` } }`,
	"!Mutation.customerErase":                `mutation { customerErase(input: {customerId: "$owner", password: "$password"}) { erased ` + problems + ` } }`,
	"Mutation.staffCreate":                   `mutation { staffCreate(input: {email: "$key@shop.example", roles: [SUPPORT]}) { customer { id } ` + problems + ` } }`,
	"!Mutation.staffRolesUpdate":             `mutation { staffRolesUpdate(customerId: "$owner", roles: [WAREHOUSE]) { customer { id } ` + problems + ` } }`,
	"!Mutation.customerSessionsEnd":          `mutation { customerSessionsEnd(customerId: "$owner") { deleted ` + problems + ` } }`,
	"Mutation.productsImport":                importFile,
	"Mutation.warehousePut":                  `mutation { warehousePut(input: {id: "west", name: "West", priority: 9}) { warehouse { id } ` + problems + ` } }`,
	"Mutation.stockAdjust":                   `mutation { stockAdjust(input: {sku: "$sku", delta: 1, idempotencyKey: "$key"}) { stock { available } ` + problems + ` } }`,

	"Mutation.notificationResend": `mutation { notificationResend(id: "gid://ordergraph/Notification/none") { ` + problems + ` } }`,

	"Query.deadLetters":         `{ deadLetters(first: 1) { nodes { id } } }`,
	"Query.deadLetterServices":  `{ deadLetterServices }`,
	"Mutation.deadLetterReplay": `mutation { deadLetterReplay(id: "notification/message/none") { ` + problems + ` } }`,
	"Mutation.deadLetterDrop":   `mutation { deadLetterDrop(id: "notification/message/none") { ` + problems + ` } }`,

	"Query.shopActivity":        `{ shopActivity { at } }`,
	"Subscription.shopActivity": `subscription { shopActivity { at } }`,

	"Subscription.invoiceStatus":      `subscription { invoiceStatus(orderId: "$order") { id } }`,
	"Subscription.notificationStatus": `subscription { notificationStatus(orderId: "$order") { version } }`,
	"Subscription.orderStatus":        `subscription { orderStatus(orderId: "$order") { id } }`,

	// What belongs to somebody, met on the way to something else.
	"Query.customer of a token":   `{ customer(customerAccessToken: "$access") { id } }`,
	"Query.node of an order":      `{ node(id: "$order") { id } }`,
	"Query.node of a customer":    `{ node(id: "$owner") { id } }`,
	"Query.orders of a customer":  `{ orders(first: 100, filter: {customerId: "$owner"}) { nodes { id } } }`,
	"Query.order with its token":  `{ order(id: "$order", accessToken: "$orderToken") { id } }`,
	"Cart.buyerIdentity.customer": `{ cart(id: "$cart") { buyerIdentity { customer { id } } } }`,
	"Cart.buyerIdentity.email":    `{ cart(id: "$cart") { buyerIdentity { email } } }`,
	"Order.notifications":         `{ order(id: "$told") { notifications { id } } }`,
	"Order.progress.messages":     `{ order(id: "$told") { progress { messages { kind } } } }`,
	"Notification.attempts":       `{ order(id: "$told") { notifications { attempts { at } } } }`,
	"Notification.nextAttemptAt":  `{ order(id: "$told") { notifications { nextAttemptAt } } }`,
	"Customer.orders":             `{ customer { orders(first: 100) { nodes { id } } } }`,
	"Customer.sessions":           `{ customer { sessions { id } } }`,
}

// A walk is a shop with one of each who come to it.
type walk struct {
	*graphtest.Shop
	t      *testing.T
	people map[string]graphtest.Somebody
}

func newWalk(t *testing.T) *walk {
	w := &walk{Shop: graphtest.New(t, nil), t: t, people: map[string]graphtest.Somebody{"guest": {}}}
	w.people["owner"], w.people["stranger"] = w.customer(), w.customer()
	for _, r := range []identity.Role{identity.Support, identity.Warehouse, identity.Merchant, identity.Admin} {
		w.people[string(r)] = w.Staff(r)
	}
	w.Buy(w.people["stranger"].Access, "Wool Scarf")
	if err := w.Catalog.PutCollections(t.Context(), identity.Ourselves(), []catalog.CollectionInput{{Handle: "all", Title: "All"}}); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *walk) customer() graphtest.Somebody {
	return w.Customer(strings.ToLower(rand.Text()) + "@example.com")
}

// as makes the operation in the name of the column, and says what became of it.
func (w *walk) as(column, row, query string) string {
	w.t.Helper()
	owner, who := w.people["owner"], w.people[column]
	if strings.HasPrefix(row, "!") {
		owner = w.customer()
		if column == "owner" {
			who = owner
		} else if who.Email != "" {
			who = w.SignIn(who.Email)
			defer func() { w.people[column] = w.SignIn(who.Email) }() // it may have ended all sessions
		}
	}
	query = w.fill(query, owner)
	if strings.HasPrefix(query, "subscription") {
		return w.kind(row, next(w.t, eventsAs(w.t, w.Shop, who.Access, query, nil)).Answer, who)
	}
	if query == importFile {
		return w.kind(row, w.UploadAs(who.Access, query, "walk.csv", "Handle,Title,Variant Price,Variant Inventory Qty\nwalk,Walk,1.00,1\n"), who)
	}
	return w.kind(row, w.AskAs(who.Access, query, nil), who)
}

// fill makes what the operation speaks of; all of it is the owner's.
func (w *walk) fill(query string, owner graphtest.Somebody) string {
	w.t.Helper()
	bought := graphtest.Purchase{}
	buy := func() graphtest.Purchase {
		if bought.Order == "" {
			bought = w.Buy(owner.Access, "Wool Scarf")
		}
		return bought
	}
	text := func(data map[string]any, path string) string {
		text, ok := graphtest.Get(data, path).(string)
		if !ok {
			w.t.Fatalf("there is no %s: %v", path, data)
		}
		return text
	}
	for _, word := range []struct {
		name string
		is   func() string
	}{
		{"$product", func() string { return "gid://ordergraph/Product/" + w.Product("Wool Scarf").ID }},
		{"$variant", func() string { return w.Variant("Wool Scarf", 0) }},
		{"$sku", func() string { return w.Product("Wool Scarf").Variants[0].SKU }},
		{"$cart", func() string {
			id := w.Fill(owner.Access, "Wool Scarf")
			w.DoAs(owner.Access, `mutation ($id: ID!) { cartBuyerIdentityUpdate(cartId: $id, buyerIdentity: {email: "ada@example.org"}) { userErrors { code } } }`, graphtest.Vars{"id": id})
			return id
		}},
		{"$told", func() string { s := buy().Order; w.Tell(s); return s }},
		{"$orderToken", func() string { return buy().Token }},
		{"$order", func() string { return buy().Order }},
		{"$owner", func() string { return owner.ID }},
		{"$email", func() string { return owner.Email }},
		{"$password", func() string { return graphtest.Password }},
		{"$access", func() string { return owner.Access }},
		{"$refresh", func() string { return owner.Refresh }},
		{"$verify", func() string {
			email := strings.ToLower(rand.Text()) + "@example.com"
			w.Do(`mutation ($e: String!, $p: String!) { customerCreate(input: {email: $e, password: $p}) { customerUserErrors { code } } }`, graphtest.Vars{"e": email, "p": graphtest.Password})
			return w.Accounts.Latest(email, account.MailVerify).Token
		}},
		{"$reset", func() string {
			w.Do(`mutation ($e: String!) { customerRecover(email: $e) { customerUserErrors { code } } }`, graphtest.Vars{"e": owner.Email})
			return w.Accounts.Latest(owner.Email, account.MailReset).Token
		}},
		{"$address", func() string {
			return text(w.DoAs(owner.Access, `mutation { customerAddressCreate(address: `+address+`) { customerAddress { id } } }`, nil), "customerAddressCreate.customerAddress.id")
		}},
		{"$key", rand.Text},
	} {
		if strings.Contains(query, word.name) {
			query = strings.ReplaceAll(query, word.name, word.is())
		}
	}
	return query
}

// kind is how an operation was answered: an error's code; null; the code of a
// user error; "own" and "all" for lists of orders; "none" for who sees an order
// and nothing of what hangs on it; "yes" for all else.
func (w *walk) kind(row string, a graphtest.Answer, who graphtest.Somebody) string {
	w.t.Helper()
	if len(a.Errors) > 0 {
		return fmt.Sprint(a.Errors[0].Extensions["code"])
	}
	var data any = a.Data
	for {
		d, ok := data.(map[string]any)
		if !ok {
			break
		}
		for _, name := range []string{"userErrors", "customerUserErrors"} {
			if code := graphtest.Get(d, name+".0.code"); code != nil {
				return fmt.Sprint(code)
			}
		}
		if data = nil; len(d) == 1 { // go on to the end of the path
			for _, data = range d {
			}
		} else if len(d) > 1 {
			data = true
			for _, v := range d {
				if v == nil {
					data = nil
				}
			}
		}
	}
	if data == nil {
		return "null"
	}
	if list, ok := data.([]any); ok && len(list) == 0 && (strings.HasPrefix(row, "Order.") || strings.HasPrefix(row, "Notification.")) {
		return "none"
	}
	if strings.HasSuffix(row, "orders") {
		of := map[bool]string{true: "all", false: "own"}
		stranger := w.DoAs(w.people["stranger"].Access, `{ orders(first: 100) { nodes { id } } }`, nil)
		id := fmt.Sprint(graphtest.Get(stranger, "orders.nodes.0.id"))
		return of[strings.Contains(string(a.Body), id) && who.ID != w.people["stranger"].ID]
	}
	return "yes"
}

// table reads testdata/roles.md: the answers by row and column.
func table(t *testing.T) map[string]map[string]string {
	t.Helper()
	text, err := os.ReadFile("testdata/roles.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]map[string]string{}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		switch {
		case len(cells) != len(columns)+1 || strings.HasPrefix(cells[0], "--"):
		case cells[0] == "field":
			if !slices.Equal(cells[1:], columns) {
				t.Fatalf("the columns are %v, want %v", cells[1:], columns)
			}
		default:
			row := map[string]string{}
			for i, c := range columns {
				row[c] = cells[i+1]
			}
			rows[cells[0]] = row
		}
	}
	return rows
}

// TestRoles walks through the schema as everybody, and holds what they are
// answered against the table.
func TestRoles(t *testing.T) {
	want := table(t)
	for _, field := range guarded() {
		if _, ok := want[field]; !ok {
			t.Errorf("%s is not in testdata/roles.md: say there who may ask for it", field)
		}
	}
	w := newWalk(t)
	walked := map[string]bool{}
	for _, row := range slices.Sorted(maps.Keys(visits)) {
		name := strings.TrimPrefix(row, "!")
		walked[name] = true
		got := map[string]string{}
		for _, column := range columns {
			got[column] = w.as(column, row, visits[row])
		}
		line := "| " + name
		for _, c := range columns {
			line += " | " + got[c]
		}
		for _, c := range columns {
			if got[c] != want[name][c] {
				t.Errorf("not as in the table, which says %v:\n%s |", want[name], line)
				break
			}
		}
	}
	for row := range want {
		if !walked[row] {
			t.Errorf("%s is in the table, and nobody walks there", row)
		}
	}
}

// guarded are the fields that the table must have: those at the root, and
// those that need a permission.
func guarded() (fields []string) {
	schema := gengql.NewExecutableSchema(gengql.Config{}).Schema()
	for _, def := range schema.Types {
		root := def == schema.Query || def == schema.Mutation || def == schema.Subscription
		if def.Kind != ast.Object || strings.HasPrefix(def.Name, "__") {
			continue
		}
		for _, f := range def.Fields {
			if root && !strings.HasPrefix(f.Name, "__") || f.Directives.ForName("hasPermission") != nil {
				fields = append(fields, def.Name+"."+f.Name)
			}
		}
	}
	return fields
}

// found forgives that there is nothing.
func found(err error) error {
	if fault.KindOf(err) == fault.NotFound {
		return nil
	}
	return err
}

// TestServicesRefuseToo asks the services behind the guarded fields directly,
// as if the gateway had let everybody pass.
func TestServicesRefuseToo(t *testing.T) {
	w := newWalk(t)
	customer := w.Accounts.Customer("somebody@example.com").CustomerID
	calls := map[string]func(who identity.Caller) error{
		"Query.customers": func(who identity.Caller) error {
			_, err := w.Accounts.Keeper.List(t.Context(), who, account.ListQuery{Limit: 1})
			return err
		},
		"Query.stock": func(who identity.Caller) error {
			_, err := w.Inventory.Stock(t.Context(), who, w.Product("Wool Scarf").Variants[0].SKU)
			return err
		},
		"Query.stocks": func(who identity.Caller) error {
			_, err := w.Inventory.List(t.Context(), who, inventory.ListQuery{})
			return err
		},
		"Mutation.productsImport": func(who identity.Caller) error {
			_, err := w.Catalog.Put(t.Context(), who, nil)
			return err
		},
		// Which warehouses there are the service tells anybody.
		"Query.warehouses": nil,
		"Mutation.warehousePut": func(who identity.Caller) error {
			return w.Inventory.PutWarehouse(t.Context(), who, inventory.Warehouse{ID: "west", Name: "West"})
		},
		"Query.deadLetters": func(who identity.Caller) error {
			_, err := w.Messages.Letters().List(t.Context(), who, deadletter.Query{})
			return err
		},
		"Query.deadLetterServices": func(who identity.Caller) error {
			_, err := deadletter.Desk{}.Services(who)
			return err
		},
		// There is none to change here; those who keep them ask as everybody.
		"Mutation.deadLetterReplay": nil, "Mutation.deadLetterDrop": nil,
		"Query.consignments": func(who identity.Caller) error {
			_, err := w.Parcels.List(t.Context(), who, fulfilment.ListQuery{})
			return err
		},
		// There is no consignment to change here; the service's own suite asks
		// as everybody.
		"Mutation.consignmentPick": nil, "Mutation.consignmentPack": nil, "Mutation.consignmentShip": nil,
		"Mutation.consignmentDeliver": nil, "Mutation.consignmentFail": nil, "Mutation.consignmentReturn": nil,
		"Query.notifications": func(who identity.Caller) error {
			_, err := w.Messages.List(t.Context(), who, notification.OrderSubject("none"))
			return err
		},
		"Mutation.notificationResend": func(who identity.Caller) error {
			_, err := w.Messages.Resend(t.Context(), who, "order:none:confirmed")
			if errors.Is(err, notification.ErrNotFound) && who.May(identity.NotificationsResend) {
				return nil // there is none
			}
			return err
		},
		// Whoever may see a message learns of its attempts from the service,
		// too: they hold the providers' codes, which are of no use to customers.
		"Notification.attempts": nil, "Notification.nextAttemptAt": nil,
		"Order.facts": func(who identity.Caller) error {
			_, err := w.Messages.Letters().About(t.Context(), who, "no-such-order")
			return err
		},
		"Order.paymentAttempts": func(who identity.Caller) error {
			_, err := w.Payments.Get(t.Context(), who, "no-such-order")
			return found(err)
		},
		"Order.reservation": func(who identity.Caller) error {
			_, err := w.Inventory.Reservation(t.Context(), who, "no-such-order")
			return found(err)
		},
		"Mutation.orderRefund": func(who identity.Caller) error {
			_, err := w.Order.Refund(t.Context(), who, order.RefundInput{OrderID: "no-such-order", IdempotencyKey: "refund-0001", Shipping: true})
			return found(err)
		},
		"Mutation.staffCreate": func(who identity.Caller) error {
			_, err := w.Accounts.Keeper.CreateStaff(t.Context(), who, account.StaffInput{
				Email: rand.Text() + "@shop.example", Password: graphtest.Password, Roles: []identity.Role{identity.Support},
			})
			return err
		},
		"Mutation.staffRolesUpdate": func(who identity.Caller) error {
			_, err := w.Accounts.Keeper.SetRoles(t.Context(), who, customer, []identity.Role{identity.Customer})
			return err
		},
		"Mutation.customerSessionsEnd": func(who identity.Caller) error {
			return w.Accounts.Keeper.SignOutEverywhere(t.Context(), who, customer)
		},
		"Mutation.stockAdjust": func(who identity.Caller) error {
			_, err := w.Inventory.Adjust(t.Context(), who, []inventory.Change{{Key: rand.Text(), SKU: "walk", Warehouse: inventory.DefaultWarehouse, Delta: 1}})
			return err
		},
	}
	calls["Query.shopActivity"] = func(who identity.Caller) error {
		_, err := w.Activity.Read(t.Context(), who, time.Now())
		return err
	}
	calls["Subscription.shopActivity"] = calls["Query.shopActivity"]
	schema := gengql.NewExecutableSchema(gengql.Config{}).Schema()
	for _, field := range guarded() {
		object, name, _ := strings.Cut(field, ".")
		directive := schema.Types[object].Fields.ForName(name).Directives.ForName("hasPermission")
		if directive == nil {
			continue
		}
		call, ok := calls[field]
		if !ok {
			t.Errorf("%s: say here which service answers it", field)
		}
		if call == nil {
			continue
		}
		permission := view.PermissionOf(directive.Arguments.ForName("permission").Value.Raw)
		for _, who := range identitytest.Everybody() {
			err := call(who.Caller)
			if may := who.May(permission); may != (err == nil) {
				t.Errorf("%s as %s, who may %s: %v, is answered %v", field, who.Name, permission, may, err)
			} else if err == nil {
				continue
			} else if kind := fault.KindOf(err); kind != fault.PermissionDenied && kind != fault.NotFound && kind != fault.Unauthenticated {
				t.Errorf("%s as %s: %v", field, who.Name, err)
			}
		}
	}
}
