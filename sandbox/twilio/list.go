package twilio

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	pageSize    = 50
	maxPageSize = 1000
)

// list is GET …/Messages.json: newest first, filtered by To, From, DateSent,
// DateSent< (and at) and DateSent> (and at), by day or by second; a message
// that was not sent yet has no such date, and is found without only.
func (s *Server) list(r *http.Request) (int, any, *trouble) {
	q := r.URL.Query()
	size, number := pageSize, 0
	for name, into := range map[string]*int{"PageSize": &size, "Page": &number} {
		if text := q.Get(name); text != "" {
			n, err := strconv.Atoi(text)
			if err != nil || n < 0 {
				return 0, nil, wrong(20001, "Parameter '%s' is not valid", name)
			}
			*into = n
		}
	}
	size = min(max(size, 1), maxPageSize)
	from, until, t := sentBetween(q)
	if t != nil {
		return 0, nil, t
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []*Message
	for i := len(s.messages) - 1; i >= 0; i-- {
		m := s.messages[i]
		if is(q.Get("To"), m.To) && is(q.Get("From"), m.From) && m.sentBetween(from, until) {
			found = append(found, m)
		}
	}
	start := cut(found, q.Get("PageToken"), number*size, size)
	end := min(start+size, len(found))
	resources := []resource{}
	for _, m := range found[start:end] {
		resources = append(resources, s.resource(m))
	}
	address := func(page int, token string) string {
		link := url.Values{}
		for name, values := range q {
			link[name] = values
		}
		link.Set("PageSize", strconv.Itoa(size))
		link.Set("Page", strconv.Itoa(page))
		if link.Del("PageToken"); token != "" {
			link.Set("PageToken", token)
		}
		return s.base() + ".json?" + link.Encode()
	}
	said := map[string]any{
		"messages": resources, "page": number, "page_size": size, "start": number * size, "end": number*size + max(0, end-start-1),
		"uri": address(number, q.Get("PageToken")), "first_page_uri": address(0, ""), "next_page_uri": nil, "previous_page_uri": nil,
	}
	if end < len(found) {
		said["next_page_uri"] = address(number+1, "PA"+found[end-1].SID)
	}
	if start > 0 {
		said["previous_page_uri"] = address(max(0, number-1), "PB"+found[start].SID)
	}
	return http.StatusOK, said, nil
}

// cut is where a page begins: behind (PA) or before (PB) the message that its
// token names, so that what arrives meanwhile moves nothing; else at the offset.
func cut(found []*Message, token string, offset, size int) int {
	for i, m := range found {
		switch token {
		case "PA" + m.SID:
			return i + 1
		case "PB" + m.SID:
			return max(0, i-size)
		}
	}
	return min(offset, len(found))
}

// is compares with what is asked for, if anything is.
func is(wanted, value string) bool { return wanted == "" || wanted == value }

// sentBetween reports whether the message was sent from the one moment on and
// before the other; where a moment is zero, any will do.
func (m *Message) sentBetween(from, until time.Time) bool {
	if from.IsZero() && until.IsZero() {
		return true
	}
	return m.SentAt != nil && !m.SentAt.Truncate(time.Second).Before(from) && (until.IsZero() || m.SentAt.Before(until))
}

// sentBetween reads the three forms of DateSent; until is the first moment
// that is too late.
func sentBetween(q url.Values) (from, until time.Time, t *trouble) {
	for _, operator := range []string{"", "<", ">"} {
		text := q.Get("DateSent" + operator)
		if text == "" {
			continue
		}
		first, last, ok := span(text)
		if !ok {
			return from, until, wrong(20001, "Parameter 'DateSent%s' is not valid", operator)
		}
		if operator != "<" && first.After(from) {
			from = first
		}
		if operator != ">" && (until.IsZero() || last.Before(until)) {
			until = last
		}
	}
	return from, until, nil
}

// span is a day or a second, and the first moment after it.
func span(text string) (first, next time.Time, ok bool) {
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return day, day.AddDate(0, 0, 1), true
	}
	at, err := time.Parse(time.RFC3339, strings.ReplaceAll(text, " ", "+")) // a + that was not escaped
	at = at.Truncate(time.Second)
	return at.UTC(), at.UTC().Add(time.Second), err == nil
}
