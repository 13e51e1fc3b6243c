package graph_test

import (
	"strings"
	"testing"

	"ordergraph/graph/graphtest"
)

// What is wrong with an input is told with a code and the path to it, through
// every mutation.
func TestBadInput(t *testing.T) {
	shop := newStorefront(t)
	cart := fill(t, shop, "Café Mug", 1)
	line := graphtest.Get(shop.Do(`query($id:ID!){cart(id:$id){lines(first:1){nodes{id}}}}`, graphtest.Vars{"id": cart}), "cart.lines.nodes.0.id")
	mug := shop.Variant("Café Mug", 0)
	many := make([]any, 300)
	for i := range many {
		many[i] = map[string]any{"merchandiseId": mug, "quantity": 1, "attributes": []any{map[string]any{"key": "n", "value": strings.Repeat("i", i+1)}}}
	}
	codes := make([]any, 11)
	for i := range codes {
		codes[i] = "CODE" + strings.Repeat("A", i)
	}

	const (
		create = `mutation($v:CartInput){m:cartCreate(input:$v){cart{id totalQuantity} userErrors{code field message}}}`
		add    = `mutation($id:ID!,$v:[CartLineInput!]!){m:cartLinesAdd(cartId:$id,lines:$v){cart{totalQuantity} userErrors{code field message}}}`
		update = `mutation($id:ID!,$v:[CartLineUpdateInput!]!){m:cartLinesUpdate(cartId:$id,lines:$v){cart{totalQuantity} userErrors{code field message}}}`
		remove = `mutation($id:ID!,$v:[ID!]!){m:cartLinesRemove(cartId:$id,lineIds:$v){cart{totalQuantity} userErrors{code field message}}}`
		buyer  = `mutation($id:ID!,$v:CartBuyerIdentityInput!){m:cartBuyerIdentityUpdate(cartId:$id,buyerIdentity:$v){cart{totalQuantity} userErrors{code field message}}}`
		note   = `mutation($id:ID!,$v:String!){m:cartNoteUpdate(cartId:$id,note:$v){cart{totalQuantity} userErrors{code field message}}}`
		attrs  = `mutation($id:ID!,$v:[AttributeInput!]!){m:cartAttributesUpdate(cartId:$id,attributes:$v){cart{totalQuantity} userErrors{code field message}}}`
		code   = `mutation($id:ID!,$v:[String!]){m:cartDiscountCodesUpdate(cartId:$id,discountCodes:$v){cart{totalQuantity} userErrors{code field message}}}`
	)
	one := func(m map[string]any) []any { return []any{m} }
	for name, c := range map[string]struct {
		query string
		value any
		code  string
		field string
	}{
		"create: unknown variant":      {create, map[string]any{"lines": one(map[string]any{"merchandiseId": "gid://ordergraph/ProductVariant/none"})}, "INVALID_MERCHANDISE_LINE", "input.lines.0.merchandiseId"},
		"create: malformed variant":    {create, map[string]any{"lines": one(map[string]any{"merchandiseId": "'; DROP TABLE"})}, "INVALID_MERCHANDISE_LINE", "input.lines.0.merchandiseId"},
		"create: negative quantity":    {create, map[string]any{"lines": one(map[string]any{"merchandiseId": mug, "quantity": -3})}, "INVALID_QUANTITY", "input.lines.0.quantity"},
		"create: country":              {create, map[string]any{"buyerIdentity": map[string]any{"email": "nobody"}}, "INVALID", "input.buyerIdentity.email"},
		"add: unknown variant":         {add, one(map[string]any{"merchandiseId": "gid://ordergraph/ProductVariant/none"}), "INVALID_MERCHANDISE_LINE", "lines.0.merchandiseId"},
		"add: a product for a variant": {add, one(map[string]any{"merchandiseId": "gid://ordergraph/Product/" + shop.Product("Café Mug").ID}), "INVALID_MERCHANDISE_LINE", "lines.0.merchandiseId"},
		"add: zero":                    {add, one(map[string]any{"merchandiseId": mug, "quantity": 0}), "INVALID_QUANTITY", "lines.0.quantity"},
		"add: negative":                {add, []any{map[string]any{"merchandiseId": mug, "quantity": 1}, map[string]any{"merchandiseId": mug, "quantity": -1}}, "INVALID_QUANTITY", "lines.1.quantity"},
		"add: huge":                    {add, one(map[string]any{"merchandiseId": mug, "quantity": 2147483647}), "MAXIMUM_EXCEEDED", "lines.0.quantity"},
		"add: many lines":              {add, many, "MAXIMUM_EXCEEDED", "lines"},
		"update: unknown line":         {update, one(map[string]any{"id": "gid://ordergraph/CartLine/none", "quantity": 1}), "INVALID_LINE", "lines.0.id"},
		"update: malformed line":       {update, one(map[string]any{"id": "", "quantity": 1}), "INVALID_LINE", "lines.0.id"},
		"update: negative":             {update, one(map[string]any{"id": line, "quantity": -1}), "INVALID_QUANTITY", "lines.0.quantity"},
		"update: huge":                 {update, one(map[string]any{"id": line, "quantity": 1000000}), "MAXIMUM_EXCEEDED", "lines.0.quantity"},
		"update: unknown variant":      {update, one(map[string]any{"id": line, "merchandiseId": "gid://ordergraph/ProductVariant/none"}), "INVALID_MERCHANDISE_LINE", "lines.0.merchandiseId"},
		"remove: unknown line":         {remove, []any{"gid://ordergraph/CartLine/none"}, "INVALID_LINE", "lineIds.0"},
		"remove: malformed line":       {remove, []any{line, strings.Repeat("x", 5000)}, "INVALID_LINE", "lineIds.1"},
		"buyer: e-mail":                {buyer, map[string]any{"email": "a@"}, "INVALID", "buyerIdentity.email"},
		"buyer: phone":                 {buyer, map[string]any{"phone": "call me"}, "INVALID", "buyerIdentity.phone"},
		"note: long":                   {note, strings.Repeat("n", 5001), "INVALID", "note"},
		"attributes: long":             {attrs, one(map[string]any{"key": strings.Repeat("k", 100), "value": "v"}), "INVALID", "attributes.0.key"},
		"codes: many":                  {code, codes, "MAXIMUM_EXCEEDED", "discountCodes"},
	} {
		t.Run(name, func(t *testing.T) {
			data := shop.Do(c.query, graphtest.Vars{"id": cart, "v": c.value})
			want(t, data, "m.userErrors.0.code", c.code)
			var path []string
			for _, p := range anyList(graphtest.Get(data, "m.userErrors.0.field")) {
				path = append(path, p.(string))
			}
			if got := strings.Join(path, "."); !strings.HasPrefix(got, c.field) {
				t.Errorf("field is %q, want %q", got, c.field)
			}
			if message, _ := graphtest.Get(data, "m.userErrors.0.message").(string); !strings.HasSuffix(message, ".") {
				t.Errorf("the message is no sentence: %q", message)
			}
			if c.query != create {
				want(t, data, "m.cart.totalQuantity", 1.0) // nothing was changed
			}
		})
	}

	for name, c := range map[string]struct {
		query string
		value any
	}{
		"add":        {add, one(map[string]any{"merchandiseId": mug})},
		"update":     {update, one(map[string]any{"id": line, "quantity": 2})},
		"remove":     {remove, []any{line}},
		"buyer":      {buyer, map[string]any{}},
		"note":       {note, "n"},
		"attributes": {attrs, []any{}},
		"codes":      {code, []any{}},
	} {
		for _, id := range []string{"gid://ordergraph/Cart/nobody", "", "gid://ordergraph/Product/x", "gid://shopify/Cart/c1"} {
			data := shop.Do(c.query, graphtest.Vars{"id": id, "v": c.value})
			want(t, data, "m.cart", nil)
			want(t, data, "m.userErrors.0.code", "CART_NOT_FOUND")
			want(t, data, "m.userErrors.0.field.0", "cartId")
		}
		_ = name
	}

	// What the schema itself forbids names the variable.
	for name, c := range map[string]struct {
		query string
		vars  graphtest.Vars
		says  string
	}{
		"a word for a number":   {add, graphtest.Vars{"id": cart, "v": one(map[string]any{"merchandiseId": mug, "quantity": "two"})}, "variable.v[0].quantity"},
		"a fraction":            {add, graphtest.Vars{"id": cart, "v": one(map[string]any{"merchandiseId": mug, "quantity": 1.5})}, ""},
		"more than 32 bits":     {add, graphtest.Vars{"id": cart, "v": one(map[string]any{"merchandiseId": mug, "quantity": 3000000000})}, ""},
		"an unknown field":      {add, graphtest.Vars{"id": cart, "v": one(map[string]any{"merchandiseId": mug, "colour": "red"})}, "variable.v[0].colour"},
		"a missing field":       {add, graphtest.Vars{"id": cart, "v": one(map[string]any{"quantity": 1})}, "variable.v[0].merchandiseId"},
		"nothing for something": {add, graphtest.Vars{"id": nil, "v": []any{}}, "variable.id"},
		"an unknown country":    {buyer, graphtest.Vars{"id": cart, "v": map[string]any{"countryCode": "XX"}}, "variable.v.countryCode"},
		"a list for an object":  {buyer, graphtest.Vars{"id": cart, "v": []any{1}}, "variable.v"},
		"an object for text":    {note, graphtest.Vars{"id": cart, "v": map[string]any{}}, "variable.v"},
		"an object for money": {checkout, graphtest.Vars{"in": func() map[string]any {
			in := input(cart, "12345678", "pm_card_visa")
			in["expectedTotal"] = map[string]any{"amount": []any{}, "currencyCode": "EUR"}
			return in
		}()}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			a := shop.Ask(c.query, c.vars)
			if len(a.Errors) == 0 {
				t.Fatalf("%s", a.Body)
			}
			var path strings.Builder
			for _, p := range a.Errors[0].Path {
				switch p := p.(type) {
				case string:
					if path.Len() > 0 {
						path.WriteByte('.')
					}
					path.WriteString(p)
				case float64:
					path.WriteString("[" + string(rune('0'+int(p))) + "]")
				}
			}
			if !strings.HasPrefix(path.String(), c.says) {
				t.Errorf("the path is %s, want %s: %s", path.String(), c.says, a.Body)
			}
			if code := a.Errors[0].Extensions["code"]; code != "GRAPHQL_VALIDATION_FAILED" && code != "BAD_USER_INPUT" {
				t.Errorf("code is %v: %s", code, a.Body)
			}
		})
	}
	if log := shop.Log.String(); strings.Contains(log, "ERROR") {
		t.Errorf("bad input is no defect of ours: %s", log)
	}
}

func TestForeignCursors(t *testing.T) {
	shop := newStorefront(t)
	other := graphtest.Get(shop.Do(`{products(first:1,sortKey:PRICE){pageInfo{endCursor}}}`, nil), "products.pageInfo.endCursor")
	cart := fill(t, shop, "Café Mug", 1)
	handle := shop.Product("Café Mug").Handle
	for name, c := range map[string]struct {
		query string
		vars  graphtest.Vars
		field string
	}{
		"products, made up":          {`query($c:String){products(first:1,after:$c){nodes{id}}}`, graphtest.Vars{"c": "made up"}, "after"},
		"products, of another order": {`query($c:String){products(first:1,after:$c,sortKey:TITLE){nodes{id}}}`, graphtest.Vars{"c": other}, "after"},
		"products, backwards":        {`query($c:String){products(last:1,before:$c){nodes{id}}}`, graphtest.Vars{"c": "~"}, "before"},
		"products, the wrong one":    {`query($c:String){products(first:1,before:$c){nodes{id}}}`, graphtest.Vars{"c": other}, "before"},
		"search":                     {`query($c:String){search(query:"mug",first:1,after:$c){nodes{__typename}}}`, graphtest.Vars{"c": other}, "after"},
		"collections":                {`query($c:String){collections(first:1,after:$c){nodes{id}}}`, graphtest.Vars{"c": other}, "after"},
		"collections, backwards":     {`query($c:String){collections(last:1,before:$c){nodes{id}}}`, graphtest.Vars{"c": other}, "before"},
		"a collection's products":    {`query($c:String){collection(handle:"mugs"){products(first:1,after:$c){nodes{id}}}}`, graphtest.Vars{"c": "0"}, "after"},
		"variants":                   {`query($c:String,$h:String){product(handle:$h){variants(first:1,after:$c){nodes{id}}}}`, graphtest.Vars{"c": other, "h": handle}, "after"},
		"images":                     {`query($c:String,$h:String){product(handle:$h){images(last:1,before:$c){nodes{id}}}}`, graphtest.Vars{"c": other, "h": handle}, "before"},
		"the collections of product": {`query($c:String,$h:String){product(handle:$h){collections(first:1,after:$c){nodes{id}}}}`, graphtest.Vars{"c": other, "h": handle}, "after"},
		"the lines of a cart":        {`query($c:String,$id:ID!){cart(id:$id){lines(first:1,after:$c){nodes{id}}}}`, graphtest.Vars{"c": other, "id": cart}, "after"},
	} {
		t.Run(name, func(t *testing.T) {
			a := shop.Ask(c.query, c.vars)
			if len(a.Errors) == 0 {
				t.Fatalf("%s", a.Body)
			}
			want(t, a.Errors[0].Extensions, "code", "BAD_USER_INPUT")
			want(t, a.Errors[0].Extensions, "field", c.field)
		})
	}
	for _, query := range []string{`{product{id}}`, `{collection{id}}`, `{productRecommendations{id}}`} {
		want(t, shop.Ask(query, nil).Errors[0].Extensions, "field", "handle")
	}
}
