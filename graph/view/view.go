// Package view shows what the services know in the words of the public
// schema: a product, a cart, an order as a storefront sees them.
//
// The types are named as in the schema and bound to it; a field that costs
// nothing to work out is a plain method here, one that needs a service is a
// resolver in package graph.
package view

import (
	"ordergraph/graph/gid"
)

// Node is anything that a global id finds.
type Node interface{ IsNode() }

// HasMetafields is anything that custom data could be attached to.
type HasMetafields interface{ IsHasMetafields() }

// DisplayableError is a mishap to be shown to the user.
type DisplayableError interface{ IsDisplayableError() }

// noCustomData answers for everything that could have custom data and, in this
// shop, never has.
type noCustomData struct{}

// IsHasMetafields marks it.
func (noCustomData) IsHasMetafields() {}

// Metafield is null.
func (noCustomData) Metafield(namespace *string, key string) *Metafield { return nil }

// Metafields is null for each key asked for.
func (noCustomData) Metafields(identifiers []HasMetafieldsIdentifier) []*Metafield {
	return make([]*Metafield, len(identifiers))
}

// HasMetafieldsIdentifier names one piece of custom data.
type HasMetafieldsIdentifier struct {
	Namespace *string
	Key       string
}

// Attribute is a key and a value that the storefront attached.
type Attribute struct {
	Key   string
	Value *string
}

// SEO is what search engines are told.
type SEO struct{ Title, Description *string }

// Count is a number of things, always exact.
type Count struct{ Count int64 }

// Precision is EXACT.
func (Count) Precision() string { return "EXACT" }

func orNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func idOf(kind, id string) string { return gid.Of(kind, id) }
