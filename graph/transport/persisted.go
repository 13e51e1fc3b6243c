package transport

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// maxPersisted is the longest document that is remembered, in bytes.
const maxPersisted = 64 << 10

// Documents remember the documents of operations by their hash.
type Documents interface {
	// Get is the document of this key, if it is known.
	Get(ctx context.Context, key string) (document string, ok bool)
	// Put remembers a document. It may be forgotten again.
	Put(ctx context.Context, key, document string)
}

// PersistedQueries let clients send the hash of a document instead of the
// document, as Apollo's automatic persisted queries have it: a hash that is
// not known is refused with PERSISTED_QUERY_NOT_FOUND, upon which the client
// sends both. Only documents that are valid are remembered.
//
// It is an extension of the executor, so that it is the same for every
// transport, and must be the first that looks at the parameters.
type PersistedQueries struct {
	Known Documents
	Only  bool // nothing is admitted but what is known, whether its hash is sent or the document
}

// ExtensionName names it to the executor.
func (PersistedQueries) ExtensionName() string { return "persisted queries" }

// Validate has nothing to object to.
func (PersistedQueries) Validate(graphql.ExecutableSchema) error { return nil }

// persistedQuery is the extension of a request, and of an operation the key
// under which its document is to be remembered.
const persistedQuery = "persistedQuery"

// MutateOperationParameters puts the document in the place of its hash.
func (q PersistedQueries) MutateOperationParameters(ctx context.Context, sent *graphql.RawParams) *gqlerror.Error {
	extension, ok := sent.Extensions[persistedQuery]
	if !ok || extension == nil {
		return q.admit(ctx, sent.Query)
	}
	hash, wrong := hashOf(extension)
	if wrong != "" {
		return refusedDocument("BAD_USER_INPUT", wrong)
	}
	if sent.Query == "" {
		if sent.Query, ok = q.Known.Get(ctx, hash); !ok && q.Only {
			return notRegistered()
		} else if !ok {
			return refusedDocument("PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound")
		}
		return nil
	}
	sum := sha256.Sum256([]byte(sent.Query))
	if hash != hex.EncodeToString(sum[:]) {
		return refusedDocument("BAD_USER_INPUT", "`sha256Hash` of `extensions.persistedQuery` is not the hash of `query`.")
	}
	if q.Only {
		return q.admit(ctx, sent.Query)
	}
	if len(sent.Query) <= maxPersisted {
		graphql.GetOperationContext(ctx).Stats.SetExtension(persistedQuery, hash)
	}
	return nil
}

// admit refuses what is not known, if nothing else is to be admitted. Space
// around a document makes no difference.
func (q PersistedQueries) admit(ctx context.Context, query string) *gqlerror.Error {
	if !q.Only {
		return nil
	}
	sum := sha256.Sum256([]byte(strings.TrimSpace(query)))
	if _, ok := q.Known.Get(ctx, hex.EncodeToString(sum[:])); !ok {
		return notRegistered()
	}
	return nil
}

func notRegistered() *gqlerror.Error {
	return refusedDocument("OPERATION_NOT_REGISTERED", "This gateway takes registered operations only, letter by letter, and this is none. It can be registered with `ordergraph operations register`.")
}

// MutateOperationContext remembers the document, which is known to be valid.
func (q PersistedQueries) MutateOperationContext(ctx context.Context, op *graphql.OperationContext) *gqlerror.Error {
	if hash, ok := op.Stats.GetExtension(persistedQuery).(string); ok {
		q.Known.Put(ctx, hash, op.RawQuery)
	}
	return nil
}

func hashOf(extension any) (hash, wrong string) {
	fields, ok := extension.(map[string]any)
	if !ok {
		return "", "`extensions.persistedQuery` must be an object with `version` and `sha256Hash`."
	}
	switch version := fields["version"].(type) {
	case json.Number:
		ok = version == "1"
	case float64:
		ok = version == 1
	default:
		ok = false
	}
	if !ok {
		return "", "Only version 1 of `extensions.persistedQuery` is known here."
	}
	hash, _ = fields["sha256Hash"].(string)
	if raw, err := hex.DecodeString(hash); err != nil || len(raw) != sha256.Size {
		return "", "`sha256Hash` of `extensions.persistedQuery` must be the SHA-256 hash of the document, as 64 hexadecimal digits."
	}
	return strings.ToLower(hash), ""
}

func refusedDocument(code, message string) *gqlerror.Error {
	return &gqlerror.Error{Message: message, Extensions: map[string]any{"code": code}}
}
