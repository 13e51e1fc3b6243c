package account

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"ordergraph/platform/docstore"
	"ordergraph/platform/identity"
)

// Get returns an account.
func (k *Keeper) Get(ctx context.Context, who identity.Caller, id string) (Customer, error) {
	id, err := own(who, id, false)
	if err != nil {
		return Customer{}, err
	}
	doc, err := k.account(ctx, id)
	if err != nil {
		return Customer{}, err
	}
	return doc.customer(), nil
}

// edit changes an account that the caller may change.
func (k *Keeper) edit(ctx context.Context, who identity.Caller, id string, change func(*accountDoc, time.Time) error) (Customer, error) {
	id, err := own(who, id, true)
	if err != nil {
		return Customer{}, err
	}
	doc, err := k.change(ctx, id, func(d *accountDoc, now time.Time) error {
		if err := mayTouch(who, d); err != nil {
			return err
		}
		return change(d, now)
	})
	if err != nil {
		return Customer{}, err
	}
	return doc.customer(), nil
}

// Update changes the profile.
func (k *Keeper) Update(ctx context.Context, who identity.Caller, in UpdateInput) (Customer, error) {
	return k.edit(ctx, who, in.CustomerID, func(d *accountDoc, now time.Time) error {
		p := d.Profile
		for _, f := range []struct {
			to   *string
			from *string
		}{{&p.FirstName, in.FirstName}, {&p.LastName, in.LastName}, {&p.Phone, in.Phone}, {&p.Locale, in.Locale}} {
			if f.from != nil {
				*f.to = *f.from
			}
		}
		if in.AcceptsMarketing != nil && *in.AcceptsMarketing != p.Marketing {
			p.Marketing, p.MarketingAt = *in.AcceptsMarketing, &now
		}
		if err := p.tidy(); err != nil {
			return err
		}
		if p == d.Profile {
			return docstore.Unchanged
		}
		d.Profile = p
		return nil
	})
}

// PutAddress adds an address, or replaces one.
func (k *Keeper) PutAddress(ctx context.Context, who identity.Caller, in AddressInput) (Customer, error) {
	a := in.Address
	if err := a.tidy(); err != nil {
		return Customer{}, err
	}
	added := uuid.Must(uuid.NewV7()).String()
	return k.edit(ctx, who, in.CustomerID, func(d *accountDoc, _ time.Time) error {
		put := a
		switch i := d.address(put.ID); {
		case put.ID != "" && i < 0:
			return ErrNoAddress
		case put.ID != "":
			d.Addresses[i] = put
		case len(d.Addresses) >= MaxAddresses:
			return ErrTooMany
		default:
			put.ID = added
			d.Addresses = append(d.Addresses, put)
		}
		if in.Default || d.Default == "" {
			d.Default = put.ID
		}
		return nil
	})
}

// RemoveAddress removes an address. Where it was the default, the oldest one
// takes its place.
func (k *Keeper) RemoveAddress(ctx context.Context, who identity.Caller, id, addressID string) (Customer, error) {
	return k.edit(ctx, who, id, func(d *accountDoc, _ time.Time) error {
		i := d.address(addressID)
		if i < 0 {
			return docstore.Unchanged
		}
		d.Addresses = slices.Delete(d.Addresses, i, i+1)
		if d.Default == addressID {
			d.Default = ""
			if len(d.Addresses) > 0 {
				d.Default = d.Addresses[0].ID
			}
		}
		return nil
	})
}

// SetDefaultAddress says where deliveries usually go.
func (k *Keeper) SetDefaultAddress(ctx context.Context, who identity.Caller, id, addressID string) (Customer, error) {
	return k.edit(ctx, who, id, func(d *accountDoc, _ time.Time) error {
		if d.address(addressID) < 0 {
			return ErrNoAddress
		}
		if d.Default == addressID {
			return docstore.Unchanged
		}
		d.Default = addressID
		return nil
	})
}

func (d *accountDoc) address(id string) int {
	return slices.IndexFunc(d.Addresses, func(a Address) bool { return a.ID == id })
}
