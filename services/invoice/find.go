package invoice

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"ordergraph/platform/docstore"
	"ordergraph/platform/identity"
	"ordergraph/services/order"
)

// Get returns a document to who may see it.
func (k *Keeper) Get(ctx context.Context, who identity.Caller, id, accessToken string) (Invoice, error) {
	d, err := k.visible(ctx, who, id, accessToken)
	if err != nil {
		return Invoice{}, err
	}
	return d.invoice(), nil
}

// OfOrder returns the order's documents.
func (k *Keeper) OfOrder(ctx context.Context, who identity.Caller, orderID, accessToken string) ([]Invoice, error) {
	d, err := k.visible(ctx, who, orderID, accessToken)
	if err != nil || d.Kind != KindInvoice {
		if err == nil || errors.Is(err, ErrNotFound) {
			return nil, nil
		}
		return nil, err
	}
	if d.Version == 0 {
		return nil, nil // not begun
	}
	var all []Invoice
	for d, err := range k.invoices.All(ctx, docstore.Query{Index: indexOrder, Equal: []any{orderID}}) {
		if err != nil {
			return nil, err
		}
		all = append(all, d.invoice())
	}
	// The invoice, and then its credit notes as they were numbered.
	slices.SortFunc(all, func(a, b Invoice) int {
		return cmp.Or(-cmp.Compare(a.Kind, b.Kind), -cmp.Compare(a.Status, b.Status), cmp.Compare(len(a.Number), len(b.Number)), cmp.Compare(a.Number, b.Number))
	})
	return all, nil
}

// File returns a file of a document, which is what it was when it was written.
func (k *Keeper) File(ctx context.Context, who identity.Caller, id string, format Format, accessToken string) (File, error) {
	if format != PDF && format != XML {
		return File{}, ErrInput.Field("format").Say("There is no format %q: pdf and xml can be had.", format)
	}
	d, err := k.visible(ctx, who, id, accessToken)
	if err != nil {
		return File{}, err
	}
	if d.Status != Ready {
		return File{}, ErrPending
	}
	kept, err := k.files.Get(ctx, d.ID)
	if err != nil {
		return File{}, err
	}
	f, digest := File{Name: d.Number + ".pdf", ContentType: "application/pdf", Content: kept.PDF}, d.Digests.PDF
	if format == XML {
		f, digest = File{Name: d.Number + ".xml", ContentType: "application/xml", Content: kept.XML}, d.Digests.XML
	}
	if digestOf(f.Content) != digest {
		return File{}, fmt.Errorf("%s of %s: %w", format, d.ID, ErrAltered)
	}
	return f, nil
}

// Versions returns the documents' versions.
func (k *Keeper) Versions(ctx context.Context, who identity.Caller, ids []string) (map[string]int64, error) {
	switch {
	case !who.May(identity.InvoicesRead):
		return nil, ErrForbidden
	case len(ids) > MaxVersions:
		return nil, ErrInput.Field("ids").Say("The versions of at most %d invoices can be had at once, not of %d.", MaxVersions, len(ids))
	}
	found, err := k.heads.GetMany(ctx, ids)
	if err != nil {
		return nil, err
	}
	versions := make(map[string]int64, len(ids))
	for _, id := range ids {
		versions[id] = versionNone
		if d, ok := found[id]; ok {
			versions[id] = d.version()
		}
	}
	return versions, nil
}

// visible is the document, or ErrNotFound where there is none or who may not
// see it. One that was not begun has version 0.
func (k *Keeper) visible(ctx context.Context, who identity.Caller, id, accessToken string) (document, error) {
	if id == "" || len(id) > 128 {
		return document{}, ErrNotFound
	}
	orderID, _, credit := strings.Cut(id, CreditSuffix)
	d, err := k.invoices.Get(ctx, id)
	switch {
	case err != nil && !isNotFound(err):
		return document{}, err
	case err == nil && (who.May(identity.InvoicesRead) || who.CustomerID != "" && who.CustomerID == d.CustomerID):
		return d, nil
	case err != nil && credit:
		return document{}, ErrNotFound
	}
	// The order service knows who may see the order. Staff without the right
	// to invoices show what any customer does.
	if !who.May(identity.InvoicesRead) {
		who.Roles = nil
	}
	o, orderErr := k.o.Orders.Get(ctx, who, orderID, accessToken)
	switch {
	case errors.Is(orderErr, order.ErrNotFound):
		return document{}, ErrNotFound
	case orderErr != nil:
		return document{}, orderErr
	case err == nil:
		return d, nil
	case o.Status == order.Failed:
		return document{}, ErrNotFound
	case !billable(o.Status):
		return document{Kind: KindInvoice, Status: Pending, OrderID: o.ID}.named(o.ID), nil
	}
	if err := k.Issue(ctx, o); err != nil {
		return document{}, err
	}
	return k.invoices.Get(ctx, id)
}

func (d document) named(id string) document {
	d.ID = id
	return d
}

func digestOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}
