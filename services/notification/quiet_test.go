package notification

import (
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the table is held against the database that the program brings
)

func TestParseQuietHours(t *testing.T) {
	for text, want := range map[string]string{
		"21:00-08:00": "21:00-08:00", " 22:30 - 7:15 ": "22:30-07:15", "00:00-06:00": "00:00-06:00", "": "", "  ": "",
	} {
		q, err := ParseQuietHours(text)
		if err != nil || q.String() != want || (q == QuietHours{}) != (want == "") {
			t.Errorf("%q: %v, %v", text, q, err)
		}
	}
	for _, text := range []string{"21:00", "21-8", "21:00-24:00", "21:00-08:60", "08:00-08:00", "-", "21:00-08:00-09:00", "off"} {
		if q, err := ParseQuietHours(text); err == nil {
			t.Errorf("%q: %v", text, q)
		}
	}
}

func TestNextAfterQuietHours(t *testing.T) {
	for _, c := range []struct{ hours, country, now, want string }{
		{"21:00-08:00", "DE", "2026-07-01T18:59:59Z", ""}, // 20:59 in Berlin
		{"21:00-08:00", "DE", "2026-07-01T19:00:00Z", "2026-07-02T06:00:00Z"},
		{"21:00-08:00", "DE", "2026-07-02T05:59:59Z", "2026-07-02T06:00:00Z"},
		{"21:00-08:00", "DE", "2026-07-02T06:00:00Z", ""},
		{"21:00-08:00", "DE", "2026-12-31T22:30:00Z", "2027-01-01T07:00:00Z"},
		{"21:00-08:00", "IN", "2026-07-01T16:00:00Z", "2026-07-02T02:30:00Z"}, // half an hour off
		{"21:00-08:00", "JP", "2026-07-01T16:00:00Z", "2026-07-01T23:00:00Z"},
		{"12:00-14:00", "DE", "2026-07-01T11:00:00Z", "2026-07-01T12:00:00Z"}, // within a day
		{"12:00-14:00", "DE", "2026-07-01T09:59:00Z", ""},
		{"00:00-06:00", "GB", "2026-01-01T00:00:00Z", "2026-01-01T06:00:00Z"},
		// The clocks go forward at 01:00 UTC: 02:30 does not exist that night.
		{"21:00-02:30", "DE", "2026-03-28T23:00:00Z", "2026-03-29T01:30:00Z"},
		{"21:00-08:00", "DE", "2026-03-28T23:00:00Z", "2026-03-29T06:00:00Z"},
		{"21:00-08:00", "DE", "2026-10-24T23:00:00Z", "2026-10-25T07:00:00Z"},
		// From New York's morning to the Aleutians': 08:00 there is 17:00 UTC in summer.
		{"21:00-08:00", "US", "2026-07-01T12:00:00Z", "2026-07-01T18:00:00Z"},
		{"21:00-08:00", "US", "2026-07-01T19:00:00Z", ""},
		{"21:00-08:00", "US", "2026-07-02T01:00:00Z", "2026-07-02T18:00:00Z"}, // 21:00 in New York
		{"21:00-08:00", "ES", "2026-07-01T06:30:00Z", "2026-07-01T07:00:00Z"}, // the Canaries are an hour behind
		// Somewhere in Russia it is always one of these: Moscow decides.
		{"18:00-10:00", "RU", "2026-07-01T16:00:00Z", "2026-07-02T07:00:00Z"},
		{"18:00-10:00", "RU", "2026-07-01T08:00:00Z", ""},
		{"", "DE", "2026-07-01T22:00:00Z", ""},
		{"21:00-08:00", "XX", "2026-07-01T22:00:00Z", ""},
		{"21:00-08:00", "", "2026-07-01T22:00:00Z", ""},
	} {
		q, err := ParseQuietHours(c.hours)
		if err != nil {
			t.Fatal(err)
		}
		now, err := time.Parse(time.RFC3339, c.now)
		if err != nil {
			t.Fatal(err)
		}
		want := now
		if c.want != "" {
			if want, err = time.Parse(time.RFC3339, c.want); err != nil {
				t.Fatal(err)
			}
		}
		if got := q.next(now, c.country); !got.Equal(want) {
			t.Errorf("%s in %s at %s: %s, want %s", c.hours, c.country, c.now, got.UTC().Format(time.RFC3339), want.Format(time.RFC3339))
		}
	}
}

// Whatever the hours and the moment, who waits does not wait longer than two
// days, and then it is no quiet hour where they are.
func TestQuietHoursEnd(t *testing.T) {
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, hours := range []string{"21:00-08:00", "00:30-02:30", "09:00-17:00", "18:00-10:00"} {
		q, err := ParseQuietHours(hours)
		if err != nil {
			t.Fatal(err)
		}
		for country, zones := range zonesOf() {
			for now := begin; now.Year() == 2026; now = now.Add(31*time.Hour + 7*time.Minute) {
				next := q.next(now, country)
				if wait := next.Sub(now); wait < 0 || wait > 49*time.Hour || !q.end(next, zones[0]).Equal(next) {
					t.Fatalf("%s in %s at %s: %s", hours, country, now, next)
				}
			}
		}
	}
}

func TestZonesExist(t *testing.T) {
	lines := 0
	for line := range strings.Lines(zonesText) {
		lines++
		names := strings.Fields(line)
		if got := len(zonesOf()[names[0]]); len(names[0]) != 2 || len(names) < 2 || got != len(names)-1 {
			t.Errorf("%d zones of %s", got, line)
		}
	}
	if lines < 240 {
		t.Errorf("%d countries", lines)
	}
}

func TestUrgent(t *testing.T) {
	for _, c := range []struct {
		kind    Kind
		channel Channel
		want    bool
	}{
		{OrderConfirmed, SMS, true}, {OrderFailed, SMS, true}, {OrderCancelled, SMS, true},
		{OrderShipped, SMS, false}, {OrderDelivered, SMS, false},
		{OrderShipped, Mail, true}, {OrderDelivered, Mail, true}, {Verify, Mail, true}, {OrderRefunded, Mail, true},
	} {
		if got := urgent(c.kind, c.channel); got != c.want {
			t.Errorf("%s by %s: %t", c.kind, c.channel, got)
		}
	}
}
