package transport

import (
	"strconv"
	"strings"
)

// media is a media type of answers.
type media int

const (
	none        media = iota // nothing that could be sent is accepted
	modern                   // application/graphql-response+json
	legacy                   // application/json
	eventStream              // text/event-stream
	multipart                // multipart/mixed;subscriptionSpec="1.0"
)

var (
	modernHeader = []string{"application/graphql-response+json; charset=utf-8"}
	legacyHeader = []string{"application/json; charset=utf-8"}
)

// header is the Content-Type of a single answer; whoever only takes streams
// gets errors as plain JSON.
func (m media) header() []string {
	if m == modern {
		return modernHeader
	}
	return legacyHeader
}

// wish is what a client accepts.
type wish struct {
	answer  media // to one answer: modern, legacy or none
	stream  media // to many: eventStream, multipart or none
	streams bool  // rather a stream, even of one answer
}

// refusal is the media type of an error before anything is executed.
func (w wish) refusal() media {
	if w.answer == none {
		return w.stream
	}
	return w.answer
}

// negotiate chooses between the media types by the Accept headers. Of those of
// a single answer it takes the one with the greater weight, the modern one
// where both are named alike, and the legacy one for clients that take
// anything, as the specification asks until 2025 and as tools of old expect.
// A stream is only for those who name it; of two that weigh the same, events.
func negotiate(accept []string) wish {
	if len(accept) == 0 || len(accept) == 1 && accept[0] == "" {
		return wish{answer: legacy}
	}
	if len(accept) == 1 {
		switch accept[0] {
		case "*/*", "application/json":
			return wish{answer: legacy}
		case "application/graphql-response+json":
			return wish{answer: modern}
		}
	}
	best := [...]preference{modern: {q: -1}, legacy: {q: -1}, eventStream: {}, multipart: {}}
	consider := func(m media, q float64, precision int) {
		if precision > best[m].precision || best[m].q < 0 {
			best[m] = preference{q, precision}
		}
	}
	for _, header := range accept {
		for entry := range strings.SplitSeq(header, ",") {
			name, params, _ := strings.Cut(entry, ";")
			p := parametersOf(params)
			if !p.utf8 {
				continue
			}
			switch strings.ToLower(strings.TrimSpace(name)) {
			case "application/graphql-response+json":
				consider(modern, p.q, 3)
			case "application/json":
				consider(legacy, p.q, 3)
			case "application/*":
				consider(legacy, p.q, 2)
				consider(modern, p.q, 2)
			case "*/*":
				consider(legacy, p.q, 1)
				consider(modern, p.q, 1)
			case "text/event-stream":
				consider(eventStream, p.q, 3)
			case "multipart/mixed":
				if p.subscriptions {
					consider(multipart, p.q, 3)
				}
			}
		}
	}
	var w wish
	m, l := best[modern], best[legacy]
	switch {
	case m.q <= 0 && l.q <= 0:
	case m.q > l.q, m.q == l.q && m.precision == 3:
		w.answer = modern
	default:
		w.answer = legacy
	}
	e, parts := best[eventStream].q, best[multipart].q
	switch {
	case e <= 0 && parts <= 0:
	case parts > e:
		w.stream = multipart
	default:
		w.stream = eventStream
	}
	w.streams = w.stream != none && max(e, parts) > max(m.q, l.q)
	return w
}

// preference is how much a media type is wanted, and how precisely it was named.
type preference struct {
	q         float64
	precision int
}

// acceptParameters are the parameters of one entry of an Accept header.
type acceptParameters struct {
	q             float64
	utf8          bool // the charset, if one is named, is UTF-8
	subscriptions bool // multipart answers after version 1.0 of Apollo's protocol
}

func parametersOf(text string) acceptParameters {
	p := acceptParameters{q: 1, utf8: true}
	for param := range strings.SplitSeq(text, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(param), "=")
		value = strings.Trim(strings.TrimSpace(value), `"`)
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "q":
			parsed, err := strconv.ParseFloat(value, 64)
			if err != nil || !(parsed >= 0 && parsed <= 1) {
				parsed = 0
			}
			p.q = parsed
		case "charset":
			p.utf8 = strings.EqualFold(value, "utf-8") || strings.EqualFold(value, "utf8")
		case "subscriptionspec":
			p.subscriptions = value == "1.0"
		}
	}
	return p
}
