package graph

import (
	"cmp"
	"context"
	"encoding/json"
	"math"
	"strconv"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"ordergraph/platform/budget"
	"ordergraph/platform/fault"
)

// What operations cost, in points:
//
//   - each object of the answer, connections and edges included, 1; before it
//     is known, as many as there may be by the pages that are asked for
//   - each mutation besides that, changePoints
//   - introspection, inspectPoints
//   - a request that comes to nothing, and whatever else costs nothing, 1
//
// Events of a subscription are free: it pays when it begins.
const (
	changePoints  = 10
	inspectPoints = 1_000
)

// Charges limit how much everybody asks for in time. A customer pays for
// themselves, wherever they are; guests pay together with whoever has the same
// address.
type Charges struct {
	Budgets  *budget.Budgets // nil: nothing is charged, nor told of costs
	General  budget.Limit    // points; PerSecond(2000, 20000) by default
	SignIn   budget.Limit    // per address: whatever a password, an account's mail or its token can be tried with; 10 a minute by default
	Checkout budget.Limit    // 30 a minute by default
	Codes    budget.Limit    // discount codes that are tried; 30 a minute by default
}

func (c Charges) orDefault() Charges {
	c.General = cmp.Or(c.General, budget.PerSecond(2_000, 20_000))
	c.SignIn = cmp.Or(c.SignIn, budget.PerMinute(10))
	c.Checkout = cmp.Or(c.Checkout, budget.PerMinute(30))
	c.Codes = cmp.Or(c.Codes, budget.PerMinute(30))
	return c
}

// A tighter budget is for mutations that are dear, or that somebody may guess
// with.
type tighter struct {
	name      string
	what      string // for people
	limit     func(Charges) budget.Limit
	byAddress bool // whoever is signed in
}

var (
	signIns   = &tighter{"sign-in", "attempts to sign in or to recover an account", func(c Charges) budget.Limit { return c.SignIn }, true}
	checkouts = &tighter{"checkout", "checkouts", func(c Charges) budget.Limit { return c.Checkout }, false}
	codeTries = &tighter{"codes", "discount codes", func(c Charges) budget.Limit { return c.Codes }, false}
)

var tighterBudgets = map[string]*tighter{
	"customerAccessTokenCreate":     signIns,
	"customerCreate":                signIns,
	"customerEmailVerificationSend": signIns,
	"customerEmailVerify":           signIns,
	"customerErase":                 signIns,
	"customerPasswordChange":        signIns,
	"customerRecover":               signIns,
	"customerReset":                 signIns,
	"checkout":                      checkouts,
	"cartCreate":                    codeTries, // for the codes it brings along
	"cartDiscountCodesUpdate":       codeTries,
}

// extra is what a mutation takes of a tighter budget.
type extra struct {
	from  *tighter
	times int
}

// extraOf is what this field of the type Mutation takes of a tighter budget.
func extraOf(f *ast.Field, variables map[string]any) (extra, bool) {
	from, ok := tighterBudgets[f.Name]
	if !ok {
		return extra{}, false
	}
	if from != codeTries {
		return extra{from, 1}, true
	}
	arguments := f.ArgumentMap(variables)
	if input, ok := arguments["input"].(map[string]any); ok {
		arguments = input
	}
	codes, _ := arguments["discountCodes"].([]any)
	return extra{from, len(codes)}, len(codes) > 0
}

// till charges operations, gives back what they did not use, and tells their
// costs.
type till struct{ Charges }

// ExtensionName names it to the executor.
func (till) ExtensionName() string { return "costs" }

// Validate has nothing to object to.
func (till) Validate(graphql.ExecutableSchema) error { return nil }

// bill is what an operation was charged; its key among the operation's statistics.
type bill struct {
	key       string
	asked     int
	remaining int
	changes   int // mutations
	refused   bool
}

const billed = "cost"

// payer is who pays for requests like this.
func payer(customer, address string) string {
	if customer != "" {
		return "customer:" + customer
	}
	return guest(address)
}

func guest(address string) string { return "address:" + budget.Network(address) }

// MutateOperationParameters refuses who has nothing left before anything is
// read.
func (t till) MutateOperationParameters(ctx context.Context, _ *graphql.RawParams) *gqlerror.Error {
	from := requestOf(ctx)
	key := "general:" + payer(from.who.CustomerID, from.source)
	if !t.Budgets.Spent(key, t.General) {
		return nil
	}
	graphql.GetOperationContext(ctx).Stats.SetExtension(billed, &bill{key: key, asked: 1, refused: true})
	return t.throttled(1, time.Duration(float64(t.General.Per)/float64(t.General.Rate)))
}

// charge takes what the operation may cost, from the tighter budgets first.
func (t till) charge(ctx context.Context, op *graphql.OperationContext, size size, extras []extra) *gqlerror.Error {
	from := requestOf(ctx)
	who := payer(from.who.CustomerID, from.source)
	b := &bill{key: "general:" + who, asked: int(min(max(1, size.points), math.MaxInt32)), changes: size.changes}
	op.Stats.SetExtension(billed, b)
	b.refused = true
	if b.asked > t.General.Burst {
		err := refuse("", "This operation may cost %d points; the limit for one is %d. Ask for shorter pages, or for less of each element.", b.asked, t.General.Burst)
		err.Extensions["code"] = "MAX_COST_EXCEEDED"
		return err
	}
	for i, e := range extras {
		if err := t.takeExtra(ctx, e, who, guest(from.source)); err != nil {
			t.giveBack(extras[:i], who, guest(from.source))
			return err
		}
	}
	r := t.Budgets.Take(ctx, b.key, t.General, b.asked)
	b.remaining, b.refused = r.Remaining, !r.Allowed
	if !r.Allowed {
		t.giveBack(extras, who, guest(from.source))
		return t.throttled(b.asked, r.RetryAfter)
	}
	return nil
}

func (e extra) key(who, address string) string {
	if e.from.byAddress {
		who = address
	}
	return e.from.name + ":" + who
}

func (t till) takeExtra(ctx context.Context, e extra, who, address string) *gqlerror.Error {
	limit := e.from.limit(t.Charges)
	r := t.Budgets.Take(ctx, e.key(who, address), limit, e.times)
	if r.Allowed {
		return nil
	}
	return limited(r.RetryAfter, "These are too many %s: at most %d in %v.", e.from.what, limit.Burst, limit.Per)
}

func (t till) giveBack(extras []extra, who, address string) {
	for _, e := range extras {
		t.Budgets.Refund(e.key(who, address), e.from.limit(t.Charges), e.times)
	}
}

func (t till) throttled(cost int, after time.Duration) *gqlerror.Error {
	return limited(after, "This costs %d points, and you have not enough left; %d come back in %v.", cost, t.General.Rate, t.General.Per)
}

// limited is the error for those who have to wait. Over HTTP it becomes a 429.
func limited(after time.Duration, format string, args ...any) *gqlerror.Error {
	seconds := max(1, int(math.Ceil(after.Seconds())))
	err := refuse("", format+" Try again in %d s.", append(args, seconds)...)
	err.Extensions["code"] = codes[fault.Exhausted]
	err.Extensions["retryAfter"] = seconds
	return err
}

// waste charges a request that did not become an operation.
func (t till) waste(ctx context.Context, address string) *gqlerror.Error {
	if r := t.Budgets.Take(ctx, "general:"+guest(address), t.General, 1); !r.Allowed {
		return t.throttled(1, r.RetryAfter)
	}
	return nil
}

// InterceptResponse gives back what was not used, and tells the cost.
func (t till) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	response := next(ctx)
	if response == nil || !graphql.HasOperationContext(ctx) {
		return response
	}
	op := graphql.GetOperationContext(ctx)
	b, _ := op.Stats.GetExtension(billed).(*bill)
	if b == nil { // refused before it could be charged
		from := requestOf(ctx)
		if r := t.Budgets.Take(ctx, "general:"+payer(from.who.CustomerID, from.source), t.General, 1); !r.Allowed {
			response.Errors = gqlerror.List{t.throttled(1, r.RetryAfter)}
		}
		return response
	}
	if op.Operation != nil && op.Operation.Operation == ast.Subscription && !b.refused {
		return response
	}
	used := -1
	if !b.refused {
		used = min(b.asked, max(1, objectsIn(response.Data)+b.changes*changePoints))
		b.remaining = t.Budgets.Refund(b.key, t.General, b.asked-used)
	}
	if response.Extensions == nil {
		response.Extensions = make(map[string]any, 1)
	}
	response.Extensions["cost"] = t.cost(b, used)
	return response
}

// cost is told as Shopify's Admin API does. An operation that was refused has
// no actual cost.
func (t till) cost(b *bill, used int) json.RawMessage {
	text := make([]byte, 0, 160)
	text = append(text, `{"requestedQueryCost":`...)
	text = strconv.AppendInt(text, int64(b.asked), 10)
	text = append(text, `,"actualQueryCost":`...)
	if used < 0 {
		text = append(text, `null`...)
	} else {
		text = strconv.AppendInt(text, int64(used), 10)
	}
	text = append(text, `,"throttleStatus":{"maximumAvailable":`...)
	text = strconv.AppendInt(text, int64(t.General.Burst), 10)
	text = append(text, `,"currentlyAvailable":`...)
	text = strconv.AppendInt(text, int64(b.remaining), 10)
	text = append(text, `,"restoreRate":`...)
	text = strconv.AppendFloat(text, float64(t.General.Rate)/t.General.Per.Seconds(), 'f', -1, 64)
	return append(text, "}}"...)
}

// objectsIn counts the objects of an answer, without the one around it: the
// braces outside of strings. Nothing else knows them all without slowing down
// every field; this looks at a page of 10 kB in a few microseconds.
func objectsIn(data []byte) (n int) {
	inside := false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case inside:
			if c == '\\' {
				i++
			} else if c == '"' {
				inside = false
			}
		case c == '"':
			inside = true
		case c == '{':
			n++
		}
	}
	return max(0, n-1)
}
