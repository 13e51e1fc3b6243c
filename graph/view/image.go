package view

import (
	"strconv"

	"ordergraph/services/catalog"
)

// Image is a picture.
type Image struct {
	url, alt      string
	width, height int
}

// NewImage shows a picture of the catalogue.
func NewImage(shop *Shop, i *catalog.Image) Image {
	return Image{shop.address(i.URL), i.Alt, i.Width, i.Height}
}

func (i *Image) key() string {
	// FNV-1a: the same address has the same id.
	h := uint64(14695981039346656037)
	for j := range len(i.url) {
		h = (h ^ uint64(i.url[j])) * 1099511628211
	}
	return strconv.FormatUint(h, 36)
}

// ID is made of the address.
func (i *Image) ID() *string {
	id := idOf("ProductImage", i.key())
	return &id
}

// URL is where the picture is; wishes for its size are not fulfilled.
func (i *Image) URL(transform *ImageTransformInput) string { return i.url }

// AltText is what it shows.
func (i *Image) AltText() *string { return orNil(i.alt) }

// Width in pixels, where it is known.
func (i *Image) Width() *int32 { return pixels(i.width) }

// Height in pixels, where it is known.
func (i *Image) Height() *int32 { return pixels(i.height) }

// Src is the older name of URL.
func (i *Image) Src() string { return i.url }

// OriginalSrc is an older name of URL.
func (i *Image) OriginalSrc() string { return i.url }

// TransformedSrc is an older name of URL.
func (i *Image) TransformedSrc(maxWidth, maxHeight *int32, crop *string, scale *int32, preferredContentType *string) string {
	return i.url
}

func pixels(n int) *int32 {
	if n <= 0 {
		return nil
	}
	p := int32(min(n, 1<<30))
	return &p
}

// ImageTransformInput is how large a picture is wanted.
type ImageTransformInput struct {
	Crop                 *string
	MaxWidth             *int32
	MaxHeight            *int32
	Scale                *int32
	PreferredContentType *string
}

// ImageConnection is a page of pictures.
type ImageConnection struct {
	Nodes    []Image
	PageInfo PageInfo
}

// Edges are the pictures with their cursors.
func (c *ImageConnection) Edges() []ImageEdge {
	edges := make([]ImageEdge, len(c.Nodes))
	for i := range c.Nodes {
		edges[i] = ImageEdge{c.Nodes[i].key(), c.Nodes[i]}
	}
	return edges
}

// ImageEdge is a picture in its list.
type ImageEdge struct {
	Cursor string
	Node   Image
}

// Media is something to look at.
type Media interface{ IsMedia() }

// MediaImage is a picture as a medium.
type MediaImage struct{ image Image }

// IsNode marks it.
func (*MediaImage) IsNode() {}

// IsMedia marks it.
func (*MediaImage) IsMedia() {}

// ID is made of the address.
func (m *MediaImage) ID() string { return idOf("MediaImage", m.image.key()) }

// Alt is what it shows.
func (m *MediaImage) Alt() *string { return m.image.AltText() }

// MediaContentType is IMAGE.
func (m *MediaImage) MediaContentType() string { return "IMAGE" }

// PreviewImage is the picture itself.
func (m *MediaImage) PreviewImage() *Image { return &m.image }

// Image is the picture itself.
func (m *MediaImage) Image() *Image { return &m.image }

// MediaConnection is a page of media.
type MediaConnection struct{ images ImageConnection }

// PageInfo is where the page stands.
func (c *MediaConnection) PageInfo() *PageInfo { return &c.images.PageInfo }

// Nodes are the media.
func (c *MediaConnection) Nodes() []Media {
	nodes := make([]Media, len(c.images.Nodes))
	for i, image := range c.images.Nodes {
		nodes[i] = &MediaImage{image}
	}
	return nodes
}

// Edges are the media with their cursors.
func (c *MediaConnection) Edges() []MediaEdge {
	edges := make([]MediaEdge, len(c.images.Nodes))
	for i, image := range c.images.Nodes {
		edges[i] = MediaEdge{image.key(), &MediaImage{image}}
	}
	return edges
}

// MediaEdge is a medium in its list.
type MediaEdge struct {
	Cursor string
	Node   Media
}
