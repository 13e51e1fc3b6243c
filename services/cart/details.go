package cart

import (
	"context"
	"unicode/utf8"

	"ordergraph/platform/identity"
)

// SetBuyer leaves a cart the customer it has where none is named.
func (k *Keeper) SetBuyer(ctx context.Context, who identity.Caller, id string, buyer Buyer) (Result, error) {
	buyer = tidyBuyer(buyer)
	if err := mayBe(who, buyer); err != nil {
		return Result{}, err
	}
	return k.alter(ctx, who, id, nil, func(draft *cartDoc, _ goods) verdict {
		if theirs := draft.Buyer.CustomerID; buyer.CustomerID == "" {
			buyer.CustomerID = theirs
		} else if theirs != "" && theirs != buyer.CustomerID && !who.May(identity.CartsWrite) {
			return verdict{err: ErrForbidden.Field("buyerIdentity.customerId")}
		}
		draft.Buyer = buyer
		return verdict{problems: checkBuyer(buyer, path("buyerIdentity"))}
	})
}

// mayBe lets a caller name nobody else as the customer.
func mayBe(who identity.Caller, b Buyer) error {
	if len(b.CustomerID) > 128 || !utf8.ValidString(b.CustomerID) {
		return ErrInput.Field("buyerIdentity.customerId")
	}
	if b.CustomerID != "" && b.CustomerID != who.CustomerID && !who.May(identity.CartsWrite) {
		return ErrForbidden.Field("buyerIdentity.customerId")
	}
	return nil
}

// SetDiscountCodes writes codes in upper case, once each, without blanks.
func (k *Keeper) SetDiscountCodes(ctx context.Context, who identity.Caller, id string, codes []string) (Result, error) {
	return k.alter(ctx, who, id, nil, func(draft *cartDoc, _ goods) (v verdict) {
		if v.problems = checkCodes(codes, path("discountCodes")); len(v.problems) == 0 {
			draft.Codes = tidyCodes(codes)
		}
		return v
	})
}

// SetNote accepts up to MaxNote characters, line breaks among them.
func (k *Keeper) SetNote(ctx context.Context, who identity.Caller, id, note string) (Result, error) {
	return k.alter(ctx, who, id, nil, func(draft *cartDoc, _ goods) verdict {
		draft.Note = note
		return verdict{problems: checkText("The note", note, MaxNote, true, path("note"))}
	})
}

// SetAttributes keeps the attributes ordered by their keys.
func (k *Keeper) SetAttributes(ctx context.Context, who identity.Caller, id string, attrs []Attribute) (Result, error) {
	return k.alter(ctx, who, id, nil, func(draft *cartDoc, _ goods) (v verdict) {
		if v.problems = checkAttributes(attrs, path("attributes")); len(v.problems) > 0 {
			return v
		}
		if draft.Attributes = tidyAttributes(attrs); !draft.attributesFit() {
			v.problems = append(v.problems, tooManyAttributes(path("attributes")))
		}
		return v
	})
}
