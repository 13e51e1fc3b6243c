package graph

import (
	"context"
	"net/http"
	"strings"
)

// idempotencyHeader names a request that may be repeated, as in
// https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
const idempotencyHeader = "Idempotency-Key"

// idempotencyKey is the key of the input or, where that has none, of the HTTP
// request; wrong says why there is none. A request that names two keys is one
// that its sender does not understand, and neither do we.
func idempotencyKey(ctx context.Context, given *string) (key, wrong string) {
	key = text(given)
	switch header, ok := keyOfRequest(ctx); {
	case !ok:
		return "", "The header `Idempotency-Key` must be one string, in quotes or bare."
	case key == "" && header == "":
		return "", "An idempotency key is needed: in the input, or in the request's header `Idempotency-Key`."
	case key == "":
		return header, ""
	case header != "" && header != key:
		return "", "The idempotency key of the input and that of the header `Idempotency-Key` differ: send one of them, or the same twice."
	}
	return key, ""
}

// keyOfRequest is the key in the header of a mutation's own request. That of a
// connection which carries many operations names none of them.
func keyOfRequest(ctx context.Context) (key string, ok bool) {
	from := requestOf(ctx).http
	if from == nil || from.Method != http.MethodPost {
		return "", true
	}
	switch values := from.Header[idempotencyHeader]; len(values) {
	case 0:
		return "", true
	case 1:
		return unquoted(strings.TrimSpace(values[0]))
	}
	return "", false
}

// unquoted reads a string of a structured field (RFC 9651), and, as many send
// it, one without quotes.
func unquoted(text string) (string, bool) {
	inner, quoted := strings.CutPrefix(text, `"`)
	if !quoted {
		return text, text != "" && !strings.ContainsAny(text, `"\, ;`)
	}
	inner, closed := strings.CutSuffix(inner, `"`)
	plain := strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(inner)
	bare := strings.NewReplacer(`\\`, "", `\"`, "").Replace(inner)
	return plain, closed && inner != "" && !strings.ContainsAny(bare, `"\`)
}
