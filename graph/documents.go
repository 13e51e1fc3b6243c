package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/vektah/gqlparser/v2/ast"
)

// documents keeps the parsed documents that were used last, except large
// ones, so that a stranger cannot fill the memory with them.
type documents struct {
	*lru.LRU[*ast.QueryDocument]
	most int
}

func newDocuments(n, most int) documents {
	return documents{lru.New[*ast.QueryDocument](n), most}
}

// Add keeps a document unless it is large.
func (d documents) Add(ctx context.Context, query string, doc *ast.QueryDocument) {
	if len(query) <= d.most {
		d.LRU.Add(ctx, query, doc)
	}
}
