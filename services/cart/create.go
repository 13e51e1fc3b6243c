package cart

import (
	"context"

	"ordergraph/platform/docstore"
	"ordergraph/platform/identity"
)

// Create leaves out whatever there is a problem with, line or detail.
func (k *Keeper) Create(ctx context.Context, who identity.Caller, in CreateInput) (Result, error) {
	var v verdict
	if len(in.Lines) > MaxLines {
		v.problems = append(v.problems, problem(CodeTooMany, path("lines"), "A cart may have at most %d lines.", MaxLines))
		in.Lines = nil
	}
	buyer := tidyBuyer(in.Buyer)
	if err := mayBe(who, buyer); err != nil {
		return Result{}, err
	}
	g, err := k.look(ctx, with(nil, variantsOf(in.Lines)))
	if err != nil {
		return Result{}, err
	}
	id, now := newToken(), k.now()
	key, err := keyOf(id)
	if err != nil {
		return Result{}, err
	}
	doc := cartDoc{Meta: docstore.Meta{ID: key}, CreatedAt: now, UpdatedAt: now}
	doc.touch(now)
	for i, line := range in.Lines {
		v.add(k.addLine(&doc, g, line, path("lines", i)))
	}
	if problems := checkBuyer(buyer, path("buyerIdentity")); len(problems) > 0 {
		v.problems = append(v.problems, problems...)
	} else {
		doc.Buyer = buyer
	}
	if doc.Buyer.CustomerID == "" {
		doc.Buyer.CustomerID = who.CustomerID
	}
	if problems := checkCodes(in.Codes, path("discountCodes")); len(problems) > 0 {
		v.problems = append(v.problems, problems...)
	} else {
		doc.Codes = tidyCodes(in.Codes)
	}
	if problems := checkText("The note", in.Note, MaxNote, true, path("note")); len(problems) > 0 {
		v.problems = append(v.problems, problems...)
	} else {
		doc.Note = in.Note
	}
	if problems := checkAttributes(in.Attributes, path("attributes")); len(problems) > 0 {
		v.problems = append(v.problems, problems...)
	} else if doc.Attributes = tidyAttributes(in.Attributes); !doc.attributesFit() {
		doc.Attributes = nil
		v.problems = append(v.problems, tooManyAttributes(path("attributes")))
	}
	doc.remember(g)
	first := doc.fill()
	if err := k.carts.Insert(ctx, &doc); err != nil {
		return Result{}, err
	}
	if first {
		k.activity.Count(CountFilled, "")
	}
	cart, err := k.show(ctx, who, id, &doc, g, now)
	return Result{Cart: cart, Problems: v.problems, Warnings: v.warnings}, err
}
