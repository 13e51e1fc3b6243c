package notification

import (
	"context"
	"strings"

	"ordergraph/platform/phone"
	"ordergraph/services/fulfilment"
)

// writeText writes a short message about what an order's story gave cause for.
func (k *Keeper) writeText(ctx context.Context, d *document) (Text, error) {
	about, err := k.occasion(ctx, d)
	if err != nil {
		return Text{}, err
	}
	t, err := k.author().text(about)
	t.ID = d.ID
	return t, err
}

// longestName is how much of a shop's name short messages begin with, in
// characters.
const longestName = 30

// text is a short message about an order: one segment in seven bits wherever
// the language has them. A link is left out where the message would be longer
// than mostSegments, and how to end the messages is said where there is room.
func (a *author) text(about occasion) (Text, error) {
	o := &about.order
	if o.Phone == "" || !phone.TakesTexts(o.Phone) {
		return Text{}, errObsolete // nobody can read it there
	}
	v := a.voice(o.Locale)
	places := []string{"shop", cut(plain(a.shop), longestName), "number", o.Number}
	key, link, page := string(about.kind)+".sms", "", ""
	if o.CustomerID != "" { // a guest's, with its token, would be a message of its own
		page = a.pageOf(o)
	}
	var body string
	switch about.kind {
	case OrderConfirmed:
		link = page
	case OrderShipped:
		body, link = v.textOfParcels(about.parcels, places, page)
	case OrderCancelled:
		if amount := comesBack(o); amount.Minor > 0 {
			key, places = key+"_refund", append(places, "amount", v.money(amount))
		}
	}
	if body == "" {
		body = v.say(key, places...)
	}
	if body == "" {
		return Text{}, errObsolete // there are no short messages of this kind
	}
	body = economical(body)
	if more := economical(body + " " + link); link != "" && segments(more) <= mostSegments {
		body = more
	}
	if more := economical(body + " " + v.say("sms.stop")); about.kind == OrderConfirmed && segments(more) == segments(body) {
		body = more
	}
	return Text{To: o.Phone, Body: body}, nil
}

// textOfParcels says what is on its way, with the link to follow it by.
func (v voice) textOfParcels(parcels []fulfilment.Consignment, places []string, page string) (body, link string) {
	switch len(parcels) {
	case 0:
		return v.say("shipped.sms_untracked", places...), page
	case 1:
		t := parcels[0].Tracking
		places = append(places, "carrier", cut(plain(t.Company), longestName), "tracking", cut(plain(t.Number), 40))
		if isLink(t.URL) {
			page = t.URL
		}
		return v.say("shipped.sms", places...), page
	}
	return v.count("shipped.sms_parcels", len(parcels), places...), page
}

// cut is the beginning of a text, in characters.
func cut(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return strings.TrimSpace(string(runes[:most-1])) + "…"
	}
	return text
}
