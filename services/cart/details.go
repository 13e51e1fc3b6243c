package cart

import (
	"context"
	"unicode/utf8"

	"ordergraph/platform/identity"
)

// SetBuyer lets nobody name another as the customer but staff: ErrForbidden.
func (k *Keeper) SetBuyer(ctx context.Context, who identity.Caller, id string, buyer Buyer) (Result, error) {
	buyer = tidyBuyer(buyer)
	if err := mayBe(who, buyer); err != nil {
		return Result{}, err
	}
	return k.alter(ctx, id, nil, func(draft *cartDoc, _ goods) verdict {
		draft.Buyer = buyer
		return verdict{problems: checkBuyer(buyer, path("buyerIdentity"))}
	})
}

// mayBe lets a caller name nobody else as the customer.
func mayBe(who identity.Caller, b Buyer) error {
	if len(b.CustomerID) > 128 || !utf8.ValidString(b.CustomerID) {
		return ErrInput.Field("buyerIdentity.customerId")
	}
	if b.CustomerID != "" && b.CustomerID != who.CustomerID && !who.IsStaff() {
		return ErrForbidden.Field("buyerIdentity.customerId")
	}
	return nil
}

// SetDiscountCodes writes codes in upper case, once each, without blanks.
func (k *Keeper) SetDiscountCodes(ctx context.Context, _ identity.Caller, id string, codes []string) (Result, error) {
	return k.alter(ctx, id, nil, func(draft *cartDoc, _ goods) (v verdict) {
		if v.problems = checkCodes(codes, path("discountCodes")); len(v.problems) == 0 {
			draft.Codes = tidyCodes(codes)
		}
		return v
	})
}

// SetNote accepts up to MaxNote characters, line breaks among them.
func (k *Keeper) SetNote(ctx context.Context, _ identity.Caller, id, note string) (Result, error) {
	return k.alter(ctx, id, nil, func(draft *cartDoc, _ goods) verdict {
		draft.Note = note
		return verdict{problems: checkText("The note", note, MaxNote, true, path("note"))}
	})
}

// SetAttributes keeps the attributes ordered by their keys.
func (k *Keeper) SetAttributes(ctx context.Context, _ identity.Caller, id string, attrs []Attribute) (Result, error) {
	return k.alter(ctx, id, nil, func(draft *cartDoc, _ goods) (v verdict) {
		if v.problems = checkAttributes(attrs, path("attributes")); len(v.problems) > 0 {
			return v
		}
		if draft.Attributes = tidyAttributes(attrs); !draft.attributesFit() {
			v.problems = append(v.problems, tooManyAttributes(path("attributes")))
		}
		return v
	})
}
