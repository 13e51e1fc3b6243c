package transport

import (
	"strconv"
	"strings"
)

// media is a media type of answers.
type media int

const (
	none   media = iota // nothing that could be sent is accepted
	modern              // application/graphql-response+json
	legacy              // application/json
)

var (
	modernHeader = []string{"application/graphql-response+json; charset=utf-8"}
	legacyHeader = []string{"application/json; charset=utf-8"}
)

func (m media) header() []string {
	if m == modern {
		return modernHeader
	}
	return legacyHeader
}

// negotiate chooses between the media types by the Accept headers: the one
// with the greater weight, the modern one where both are named alike, and the
// legacy one for clients that take anything, as the specification asks until
// 2025 and as tools of old expect.
func negotiate(accept []string) media {
	if len(accept) == 0 || len(accept) == 1 && accept[0] == "" {
		return legacy
	}
	if len(accept) == 1 {
		switch accept[0] {
		case "*/*", "application/json":
			return legacy
		case "application/graphql-response+json":
			return modern
		}
	}
	best := [...]preference{modern: {q: -1}, legacy: {q: -1}}
	consider := func(m media, q float64, precision int) {
		if precision > best[m].precision || best[m].q < 0 {
			best[m] = preference{q, precision}
		}
	}
	for _, header := range accept {
		for entry := range strings.SplitSeq(header, ",") {
			name, params, _ := strings.Cut(entry, ";")
			q, utf8 := weight(params)
			if !utf8 {
				continue
			}
			switch strings.ToLower(strings.TrimSpace(name)) {
			case "application/graphql-response+json":
				consider(modern, q, 3)
			case "application/json":
				consider(legacy, q, 3)
			case "application/*":
				consider(legacy, q, 2)
				consider(modern, q, 2)
			case "*/*":
				consider(legacy, q, 1)
				consider(modern, q, 1)
			}
		}
	}
	m, l := best[modern], best[legacy]
	switch {
	case m.q <= 0 && l.q <= 0:
		return none
	case m.q > l.q, m.q == l.q && m.precision == 3:
		return modern
	}
	return legacy
}

// preference is how much a media type is wanted, and how precisely it was named.
type preference struct {
	q         float64
	precision int
}

// weight reads the parameters of an Accept entry: its q, and whether the
// charset, if it names one, is UTF-8.
func weight(params string) (q float64, utf8 bool) {
	q, utf8 = 1, true
	for param := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(param), "=")
		value = strings.Trim(strings.TrimSpace(value), `"`)
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "q":
			parsed, err := strconv.ParseFloat(value, 64)
			if err != nil || parsed < 0 || parsed > 1 {
				parsed = 0
			}
			q = parsed
		case "charset":
			utf8 = strings.EqualFold(value, "utf-8") || strings.EqualFold(value, "utf8")
		}
	}
	return q, utf8
}
