package view

import (
	"slices"
	"time"

	"ordergraph/services/catalog"
)

// Collection is products that belong together under a name.
type Collection struct {
	noCustomData
	of   *catalog.Collection
	shop *Shop
}

// NewCollection shows a collection of the catalogue, which must not change any more.
func NewCollection(shop *Shop, c *catalog.Collection) Collection {
	return Collection{of: c, shop: shop}
}

// IsNode marks it.
func (*Collection) IsNode() {}

// Key is the collection's id within the shop.
func (c *Collection) Key() string { return c.of.ID }

// ID is the global id.
func (c *Collection) ID() string { return idOf("Collection", c.of.ID) }

// Handle is its place in addresses.
func (c *Collection) Handle() string { return c.of.Handle }

// Title is its name.
func (c *Collection) Title() string { return c.of.Title }

// Description is what it is about, as plain text.
func (c *Collection) Description(truncateAt *int32) string {
	return truncate(plainText(c.of.HTML), truncateAt)
}

// DescriptionHTML is what it is about, with markup.
func (c *Collection) DescriptionHTML() string { return c.of.HTML }

// Image is its picture.
func (c *Collection) Image() *Image {
	if c.of.Image == nil {
		return nil
	}
	i := NewImage(c.shop, c.of.Image)
	return &i
}

// SEO is what search engines are told.
func (c *Collection) SEO() *SEO { return &SEO{orNil(c.of.SEO.Title), orNil(c.of.SEO.Description)} }

// UpdatedAt is when it last changed.
func (c *Collection) UpdatedAt() time.Time { return c.of.UpdatedAt }

// OnlineStoreURL is its address in the web shop.
func (c *Collection) OnlineStoreURL() *string {
	return orNil(c.shop.PublicURL + "/collections/" + c.of.Handle)
}

// TrackingParameters is null.
func (c *Collection) TrackingParameters() *string { return nil }

// CollectionConnection is a page of collections.
type CollectionConnection struct {
	Nodes    []Collection
	Cursors  []string
	PageInfo PageInfo
}

// Edges are the collections with their cursors.
func (c *CollectionConnection) Edges() []CollectionEdge {
	edges := make([]CollectionEdge, len(c.Nodes))
	for i := range c.Nodes {
		edges[i] = CollectionEdge{c.Cursors[i], c.Nodes[i]}
	}
	return edges
}

// Placed sets the cursors of the first and the last collection.
func (c *CollectionConnection) Placed() *CollectionConnection {
	if n := len(c.Cursors); n > 0 {
		c.PageInfo.StartCursor, c.PageInfo.EndCursor = &c.Cursors[0], &c.Cursors[n-1]
	}
	return c
}

// CollectionEdge is a collection in its list.
type CollectionEdge struct {
	Cursor string
	Node   Collection
}

// Collections is a page of these collections; nil ones are left out.
func Collections(found []*Collection, w Window, reverse bool) (*CollectionConnection, error) {
	all := make([]Collection, 0, len(found))
	for _, c := range found {
		if c != nil {
			all = append(all, *c)
		}
	}
	if reverse {
		slices.Reverse(all)
	}
	from, to, info, err := w.cut(len(all), func(i int) string { return all[i].of.ID })
	if err != nil {
		return nil, err
	}
	c := &CollectionConnection{Nodes: all[from:to], PageInfo: info}
	for i := range c.Nodes {
		c.Cursors = append(c.Cursors, c.Nodes[i].of.ID)
	}
	return c, nil
}
