package notification

import (
	_ "embed"
	"fmt"
	"strings"
	"sync"
	"time"
)

// QuietHours are the part of the day in which nobody is disturbed for what can
// wait, by the customer's own clock. The zero value is none.
type QuietHours struct{ from, to int } // minutes since midnight

// ParseQuietHours reads hours like 21:00-08:00, which may include midnight;
// "" is none.
func ParseQuietHours(text string) (QuietHours, error) {
	if text = strings.TrimSpace(text); text == "" {
		return QuietHours{}, nil
	}
	var q QuietHours
	from, to, found := strings.Cut(text, "-")
	for _, end := range []struct {
		text string
		to   *int
	}{{from, &q.from}, {to, &q.to}} {
		at, err := time.Parse("15:04", strings.TrimSpace(end.text))
		if err != nil || !found {
			return QuietHours{}, fmt.Errorf("%q are not hours like 21:00-08:00", text)
		}
		*end.to = at.Hour()*60 + at.Minute()
	}
	if q.from == q.to {
		return QuietHours{}, fmt.Errorf("%q begin when they end: leave them empty for none", text)
	}
	return q, nil
}

// String is the hours as ParseQuietHours reads them.
func (q QuietHours) String() string {
	if q == (QuietHours{}) {
		return ""
	}
	return fmt.Sprintf("%02d:%02d-%02d:%02d", q.from/60, q.from%60, q.to/60, q.to%60)
}

// next is the first moment from now on at which a customer in a country
// (ISO 3166-1) may be disturbed. Where a country has several time zones,
// nobody knows in which one the customer is: it has to be no quiet hour in
// any of them, or, where there is no such moment, in the first one. Of a
// country without an entry nothing is known, and nothing waits.
func (q QuietHours) next(now time.Time, country string) time.Time {
	zones := zonesOf()[country]
	if q == (QuietHours{}) || len(zones) == 0 {
		return now
	}
	free := now
	for free.Sub(now) < 48*time.Hour {
		end := free
		for _, zone := range zones {
			end = q.end(end, zone)
		}
		if end.Equal(free) {
			return free
		}
		free = end
	}
	return q.end(now, zones[0])
}

// end is when the quiet hours end in which t lies in a zone, or t itself.
func (q QuietHours) end(t time.Time, zone *time.Location) time.Time {
	local := t.In(zone)
	minute := local.Hour()*60 + local.Minute()
	quiet, day := q.from <= minute && minute < q.to, local.Day()
	if q.from > q.to { // over midnight
		quiet = minute >= q.from || minute < q.to
		if minute >= q.from {
			day++
		}
	}
	if !quiet {
		return t
	}
	end := time.Date(local.Year(), local.Month(), day, 0, q.to, 0, 0, zone)
	for !end.After(t) { // the clocks are changed
		end = end.Add(15 * time.Minute)
	}
	return end.In(t.Location())
}

//go:embed zones.txt
var zonesText string

// zonesOf are the time zones of countries, the one with the most people first;
// of zones that agree all year one is enough.
var zonesOf = sync.OnceValue(func() map[string][]*time.Location {
	all := map[string][]*time.Location{}
	for line := range strings.Lines(zonesText) {
		names := strings.Fields(line)
		for _, name := range names[1:] {
			zone, err := time.LoadLocation(name)
			if err != nil { // an older time zone database; the program brings its own
				continue
			}
			all[names[0]] = append(all[names[0]], zone)
		}
	}
	return all
})

// zoneOf is the time zone in which a country's customers read a date.
func zoneOf(country string) *time.Location {
	if zones := zonesOf()[country]; len(zones) > 0 {
		return zones[0]
	}
	return time.UTC
}

// urgent reports whether a message goes out at any hour. Mails never wait:
// nobody is woken by them.
func urgent(kind Kind, channel Channel) bool {
	switch kind {
	case OrderShipped, OrderDelivered:
		return channel != SMS
	}
	return true
}
