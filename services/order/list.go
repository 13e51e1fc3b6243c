package order

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"hash/fnv"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"ordergraph/platform/docstore"
	"ordergraph/platform/identity"
)

// Limits of a list.
const (
	maxPage     = 100
	defaultPage = 20
	// maxScan is how many orders are looked at for one page, or a few more,
	// where an index answers only a part of the query; what lies behind is on
	// the next page.
	maxScan = 500
)

// story has all states in the order in which an order comes into them.
var story = []Status{Pending, Reserved, Paying, Confirmed, Fulfilling, Shipped, Delivered, Failed, Cancelled, Refunded}

// List reads the index that has the least of what is not asked for, and
// leaves the rest out.
func (k *Keeper) List(ctx context.Context, who identity.Caller, q ListQuery) (Page, error) {
	q, err := q.tidy(who)
	if err != nil {
		return Page{}, err
	}
	print := q.fingerprint()
	at, err := placeOf(q.After, print)
	if err != nil {
		return Page{}, err
	}
	if q.Number != "" {
		return k.numbered(ctx, who, q, print)
	}
	lists, sieved := q.lists()
	page := Page{Orders: []Order{}}
	for scanned := 0; ; {
		docs, more, err := k.stretch(ctx, lists, at)
		if err != nil {
			return Page{}, err
		}
		for i := range docs {
			d := &docs[i]
			wanted := !sieved || q.wants(d)
			if wanted && len(page.Orders) == q.Limit {
				page.HasMore, page.End = true, at.cursor(print)
				return page, nil
			}
			at = place{At: d.CreatedAt, ID: d.ID}
			if wanted {
				page.Orders, page.Cursors = append(page.Orders, d.orderFor(who, d.belongsTo(who))), append(page.Cursors, at.cursor(print))
			}
		}
		scanned += len(docs)
		switch {
		case !more:
			return page, nil
		case !sieved && len(page.Orders) == q.Limit, scanned >= maxScan:
			page.HasMore, page.End = true, at.cursor(print)
			return page, nil
		}
	}
}

// tidy brings the query into the form in which it is compared, and narrows it
// to what the caller may see.
func (q ListQuery) tidy(who identity.Caller) (ListQuery, error) {
	if !who.May(identity.OrdersRead) {
		switch {
		case who.CustomerID == "":
			return q, ErrSignIn
		case q.CustomerID != "" && q.CustomerID != who.CustomerID:
			return q, ErrForbidden
		}
		q.CustomerID = who.CustomerID
	}
	if q.Limit < 0 || q.Limit > maxPage {
		return q, ErrInput.Field("limit").Say("A page has at most %d orders.", maxPage)
	}
	q.Limit = cmp.Or(q.Limit, defaultPage)

	asked := q.Statuses
	for _, s := range asked {
		if !slices.Contains(story, s) {
			return q, ErrInput.Field("statuses").Say("There is no such status.")
		}
	}
	q.Statuses = nil
	for _, s := range story {
		if slices.Contains(asked, s) {
			q.Statuses = append(q.Statuses, s)
		}
	}
	if len(q.Statuses) == len(story) {
		q.Statuses = nil
	}

	if q.Number != "" {
		number, ok := parseNumber(q.Number)
		if !ok {
			return q, ErrInput.Field("number").Say("An order's number is eight letters and digits, such as K7M2-4QXD.")
		}
		q.Number = number
	}
	if q.Email != "" {
		if q.Email = mailOf(q.Email); !isEmail(q.Email) {
			return q, ErrInput.Field("email").Say("This is not an e-mail address. Orders are found by the whole of it.")
		}
	}
	q.From, q.Before = whole(q.From), whole(q.Before)
	if !q.From.IsZero() && !q.Before.IsZero() && !q.From.Before(q.Before) {
		return q, ErrInput.Field("createdBefore").Say("Nothing was placed before this time and not before the other: it must be the later of the two.")
	}
	return q, nil
}

// whole is the time in milliseconds, in which documents keep theirs: the next,
// where it lies between two.
func whole(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.Add(time.Millisecond - 1).Truncate(time.Millisecond).UTC()
}

// wants reports whether the document is what a tidy query asks for.
func (q *ListQuery) wants(d *document) bool {
	return (q.CustomerID == "" || d.CustomerID == q.CustomerID) &&
		(q.Statuses == nil || slices.Contains(q.Statuses, d.Status)) &&
		(q.Email == "" || d.Mail == q.Email) &&
		!d.CreatedAt.Before(q.From) &&
		(q.Before.IsZero() || d.CreatedAt.Before(q.Before))
}

// lists are the stretches of indexes that have what a tidy query asks for,
// each ordered by time and id; sieved tells that they have more than that.
func (q *ListQuery) lists() (lists []docstore.Query, sieved bool) {
	add := func(index string, equal ...any) {
		list := docstore.Query{Index: index, Equal: equal, Reverse: !q.Reverse, Limit: q.Limit}
		if !q.From.IsZero() {
			list.From = q.From
		}
		if !q.Before.IsZero() {
			list.Until = q.Before
		}
		lists = append(lists, list)
	}
	switch {
	case q.CustomerID != "":
		add(indexCustomer, q.CustomerID)
		sieved = q.Statuses != nil || q.Email != ""
	case q.Email != "":
		add(indexMail, q.Email)
		sieved = q.Statuses != nil
	case q.Statuses != nil:
		for _, s := range q.Statuses {
			add(indexStatus, string(s))
		}
	default:
		add(indexCreated)
	}
	if sieved {
		lists[0].Limit = maxPage
	}
	return lists, sieved
}

// stretch reads on from a place in all lists at once, in their common order.
// The lists of states are read in the order in which an order comes into them:
// one that does so meanwhile is met twice, and not missed.
func (k *Keeper) stretch(ctx context.Context, lists []docstore.Query, at place) (docs []document, more bool, err error) {
	for _, list := range lists {
		if list.After, err = at.in(list); err != nil {
			return nil, false, err
		}
		found, err := k.orders.Find(ctx, list)
		if err != nil {
			return nil, false, err
		}
		docs, more = append(docs, found.Items...), more || found.Next != ""
	}
	if len(lists) == 1 {
		return docs, more, nil
	}
	slices.SortFunc(docs, func(a, b document) int {
		order := cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
		if lists[0].Reverse {
			order = -order
		}
		return cmp.Or(order, cmp.Compare(b.Version, a.Version))
	})
	docs = slices.CompactFunc(docs, func(a, b document) bool { return a.ID == b.ID })
	if limit := lists[0].Limit; len(docs) > limit {
		docs, more = docs[:limit], true
	}
	return docs, more, nil
}

// numbered is the page of the one order with the number. Nothing is behind it.
func (k *Keeper) numbered(ctx context.Context, who identity.Caller, q ListQuery, print int64) (Page, error) {
	page := Page{Orders: []Order{}}
	if q.After != "" {
		return page, nil
	}
	found, err := k.orders.Find(ctx, docstore.Query{Index: indexNumber, Equal: []any{q.Number}, Limit: 1})
	if err != nil {
		return Page{}, err
	}
	for i := range found.Items {
		if d := &found.Items[i]; q.wants(d) {
			page.Orders = append(page.Orders, d.orderFor(who, d.belongsTo(who)))
			page.Cursors = append(page.Cursors, place{At: d.CreatedAt, ID: d.ID}.cursor(print))
		}
	}
	return page, nil
}

// A place is where an order stands among all orders, and would stand in any
// list. A client that tampers with it moves in its own list only: what the
// list has does not depend on it.
type place struct {
	Print int64     `bson:"p"` // of the query in whose list it is
	At    time.Time `bson:"t"`
	ID    string    `bson:"i"`
}

func (p place) cursor(print int64) string {
	p.Print = print
	raw, err := bson.Marshal(p)
	if err != nil {
		panic(fmt.Sprintf("order: encode a cursor: %v", err)) // three plain fields always encode
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

// placeOf reads a cursor of the list with the fingerprint; none is its start.
func placeOf(cursor string, print int64) (p place, err error) {
	if cursor == "" {
		return p, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || bson.Raw(raw).Validate() != nil || bson.Unmarshal(raw, &p) != nil || p.ID == "" || p.Print != print {
		return p, ErrCursor.Field("after")
	}
	return p, nil
}

// in is the place as a cursor of one of the lists.
func (p place) in(list docstore.Query) (docstore.Cursor, error) {
	if p.ID == "" {
		return "", nil
	}
	there := bson.D{{Key: "_id", Value: p.ID}, {Key: "createdAt", Value: p.At}}
	index := slices.IndexFunc(spec.Indexes, func(x docstore.Index) bool { return x.Name == list.Index })
	for i, value := range list.Equal {
		there = append(there, bson.E{Key: spec.Indexes[index].Fields[i], Value: value})
	}
	raw, err := bson.Marshal(there)
	if err != nil {
		return "", err
	}
	return docstore.CursorAt(spec, list, raw)
}

// fingerprint tells cursors of different lists apart.
func (q *ListQuery) fingerprint() int64 {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%q %q %q %q %d %d %t", q.CustomerID, q.Statuses, q.Number, q.Email, q.From.UnixMilli(), q.Before.UnixMilli(), q.Reverse)
	return int64(h.Sum64() >> 1)
}

// addMails gives the orders that a version without an index by e-mail address
// has left the field it reads, before the index is built over all of them. So
// the work is done once, like that of building it; a crash lets it begin
// again. Orders that a copy of that version still writes meanwhile get the
// field at their next change that others see.
func addMails(ctx context.Context, store docstore.Store) error {
	specs, err := store.Collections(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(specs, func(s docstore.Spec) bool { return s.Name == spec.Name })
	if i < 0 || slices.ContainsFunc(specs[i].Indexes, func(x docstore.Index) bool { return x.Name == indexMail }) {
		return nil
	}
	orders, err := docstore.Open[document](ctx, store, specs[i])
	if err != nil {
		return err
	}
	for d, err := range orders.All(ctx, docstore.Query{}) {
		if err != nil {
			return err
		}
		if _, err := orders.Update(ctx, d.ID, func(d *document) error {
			if d.Mail == mailOf(d.Email) {
				return docstore.Unchanged
			}
			d.Mail = mailOf(d.Email)
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}
