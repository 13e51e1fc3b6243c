package transport

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

var ackMessage = []byte(`{"type":"connection_ack"}`)

func malformed(reason string) error { return &closure{closeBadRequest, reason} }

// handle does what a message asks for. An error closes the socket.
func (k *socket) handle(text []byte) error {
	var m struct {
		Type    *string         `json:"type"`
		ID      *string         `json:"id"`
		Payload json.RawMessage `json:"payload"`
	}
	if err := json.Unmarshal(text, &m); err != nil {
		if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && wrong.Field != "" {
			return malformed("`" + wrong.Field + "` must be a string.")
		} else if ok {
			return malformed("A message is a JSON object.")
		}
		return malformed("This message is not JSON: " + jsonProblem(err))
	}
	if m.Type == nil {
		return malformed("`type` is missing.")
	}
	switch *m.Type {
	case "connection_init", "ping", "pong":
		if m.Payload != nil && m.Payload[0] != '{' && string(m.Payload) != "null" {
			return malformed("The `payload` of " + *m.Type + " must be an object.")
		}
	case "subscribe", "complete":
		if m.ID == nil || *m.ID == "" {
			return malformed("The `id` of " + *m.Type + " is missing.")
		}
	}
	switch *m.Type {
	case "connection_init":
		return k.init(m.Payload)
	case "ping":
		k.send(pongTo(m.Payload))
		return nil
	case "pong":
		return nil
	case "subscribe":
		return k.subscribe(*m.ID, m.Payload)
	case "complete":
		k.complete(*m.ID)
		return nil
	case "connection_ack", "next", "error":
		return malformed("Messages of type " + *m.Type + " come from the server.")
	}
	return malformed("There is no message of type " + quoted(*m.Type) + ".")
}

func pongTo(payload json.RawMessage) []byte {
	if payload == nil {
		return []byte(`{"type":"pong"}`)
	}
	return append(append([]byte(`{"type":"pong","payload":`), payload...), '}')
}

// tokenOf is the token that connection_init shows, if it shows one: what
// stands behind "Bearer" in `authorization`, in the payload or in its
// `headers`, however it is capitalised.
func tokenOf(payload json.RawMessage) (string, error) {
	fields, err := lowerCase(payload)
	if err != nil {
		return "", malformed("The `payload` of connection_init must be an object.")
	}
	given, ok := fields["authorization"]
	if !ok {
		if headers, err := lowerCase(fields["headers"]); err == nil {
			given = headers["authorization"]
		}
	}
	var value *string
	if len(given) > 0 && json.Unmarshal(given, &value) != nil {
		return "", malformed("`authorization` must be a string.")
	}
	if value == nil {
		return "", nil
	}
	scheme, token, ok := strings.Cut(strings.TrimSpace(*value), " ")
	if ok && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(token), nil
	}
	return strings.TrimSpace(*value), nil
}

func lowerCase(object json.RawMessage) (map[string]json.RawMessage, error) {
	if len(object) == 0 {
		return nil, nil
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(object, &fields); err != nil {
		return nil, err
	}
	lower := make(map[string]json.RawMessage, len(fields))
	for name, value := range fields {
		lower[strings.ToLower(name)] = value
	}
	return lower, nil
}

// quoted is text as a JSON string.
func quoted(text string) string {
	q, err := json.Marshal(text)
	if err != nil {
		return `""`
	}
	return string(q)
}

func nextMessage(b *bytes.Buffer, id string, response *graphql.Response) {
	beginMessage(b, id, "next")
	b.WriteString(`,"payload":`)
	envelope(b, response)
	b.Write(response.Data)
	b.WriteString("}}")
}

func errorMessage(b *bytes.Buffer, id string, errs gqlerror.List) {
	beginMessage(b, id, "error")
	b.WriteString(`,"payload":`)
	encoder := json.NewEncoder(b)
	encoder.SetEscapeHTML(false)
	before := b.Len()
	if err := encoder.Encode(errs); err != nil {
		b.Truncate(before)
		b.WriteString(`[{"message":"` + errInternal.Message + `"}]`)
	}
	b.WriteByte('}')
}

func completeMessage(b *bytes.Buffer, id string) {
	beginMessage(b, id, "complete")
	b.WriteByte('}')
}

// beginMessage begins a message; id is quoted.
func beginMessage(b *bytes.Buffer, id, kind string) {
	b.WriteString(`{"id":`)
	b.WriteString(id)
	b.WriteString(`,"type":"`)
	b.WriteString(kind)
	b.WriteByte('"')
}
