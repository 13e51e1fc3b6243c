package cart

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"unicode/utf8"

	"ordergraph/platform/identity"
)

// AddLines takes less than was asked for, with a warning, where the stock is
// less; sold out is a problem.
func (k *Keeper) AddLines(ctx context.Context, who identity.Caller, id string, lines []LineInput) (Result, error) {
	if len(lines) > MaxLines {
		return k.refuse(ctx, who, id, problem(CodeTooMany, path("lines"), "At most %d lines can be added at once.", MaxLines))
	}
	return k.alter(ctx, who, id, variantsOf(lines), func(draft *cartDoc, g goods) (v verdict) {
		for i, in := range lines {
			v.add(k.addLine(draft, g, in, path("lines", i)))
		}
		return v
	})
}

// UpdateLines works through the changes in their order, each on what the one
// before has left. Wanting less is possible whatever the stock.
func (k *Keeper) UpdateLines(ctx context.Context, who identity.Caller, id string, lines []LineUpdate) (Result, error) {
	if len(lines) > MaxLines {
		return k.refuse(ctx, who, id, problem(CodeTooMany, path("lines"), "At most %d lines can be changed at once.", MaxLines))
	}
	var incoming []string
	for _, l := range lines {
		if l.VariantID != nil && isVariantID(*l.VariantID) {
			incoming = append(incoming, *l.VariantID)
		}
	}
	return k.alter(ctx, who, id, incoming, func(draft *cartDoc, g goods) (v verdict) {
		for i, in := range lines {
			v.add(k.updateLine(draft, g, in, path("lines", i)))
		}
		return v
	})
}

// RemoveLines takes lines out; naming one twice is harmless.
func (k *Keeper) RemoveLines(ctx context.Context, who identity.Caller, id string, lineIDs []string) (Result, error) {
	if len(lineIDs) > MaxLines {
		return k.refuse(ctx, who, id, problem(CodeTooMany, path("lineIds"), "At most %d lines can be removed at once.", MaxLines))
	}
	return k.alter(ctx, who, id, nil, func(draft *cartDoc, _ goods) (v verdict) {
		for i, lineID := range lineIDs {
			if draft.line(lineID) < 0 {
				v.problems = append(v.problems, unknownLine(path("lineIds", i)))
			}
		}
		draft.Lines = slices.DeleteFunc(draft.Lines, func(l lineDoc) bool { return slices.Contains(lineIDs, l.ID) })
		return v
	})
}

// refuse answers a change that cannot be made whatever is in the cart.
func (k *Keeper) refuse(ctx context.Context, who identity.Caller, id string, problems ...Problem) (Result, error) {
	return k.alter(ctx, who, id, nil, func(*cartDoc, goods) verdict { return verdict{problems: problems} })
}

func (v *verdict) add(o verdict) {
	v.problems = append(v.problems, o.problems...)
	v.warnings = append(v.warnings, o.warnings...)
}

// addLine adds units to the draft: to the line that has this variant with
// these attributes, or as a new line. No more come in than there are in stock
// besides what the cart's other lines hold.
func (k *Keeper) addLine(draft *cartDoc, g goods, in LineInput, at []string) (v verdict) {
	v.problems = append(v.problems, checkQuantity(in.Quantity, 1, under(at, "quantity"))...)
	v.problems = append(v.problems, checkAttributes(in.Attributes, under(at, "attributes"))...)
	v.problems = append(v.problems, k.checkVariant(g, in.VariantID, under(at, "merchandiseId"))...)
	if len(v.problems) > 0 {
		return v
	}
	line := lineDoc{ID: rand.Text()[:16], VariantID: in.VariantID, Attributes: tidyAttributes(in.Attributes)}
	present := slices.IndexFunc(draft.Lines, line.like)
	if present >= 0 {
		line = draft.Lines[present]
	} else if len(draft.Lines) >= MaxLines {
		v.problems = append(v.problems, problem(CodeTooMany, at, "A cart may have at most %d lines.", MaxLines))
		return v
	}
	want := line.Quantity + in.Quantity
	if want > MaxQuantity {
		v.problems = append(v.problems, problem(CodeTooMany, under(at, "quantity"), "There may be at most %d units in one line; there would be %d.", MaxQuantity, want))
		return v
	}
	room := draft.room(g, line)
	if room < 1 {
		v.problems = append(v.problems, outOfStock(g, line, under(at, "merchandiseId")))
		return v
	}
	if want > room {
		v.warnings = append(v.warnings, notEnough(g, line, room, under(at, "quantity")))
	}
	line.Quantity = min(want, room)
	if present >= 0 {
		draft.Lines[present] = line
	} else {
		draft.Lines = append(draft.Lines, line)
		if len(line.Attributes) > 0 && !draft.attributesFit() {
			draft.Lines = draft.Lines[:len(draft.Lines)-1]
			v.problems = append(v.problems, tooManyAttributes(under(at, "attributes")))
		}
	}
	return v
}

// updateLine changes one line of the draft. Should it become like another,
// the two become one under the other's id.
func (k *Keeper) updateLine(draft *cartDoc, g goods, in LineUpdate, at []string) (v verdict) {
	i := draft.line(in.ID)
	if i < 0 {
		v.problems = append(v.problems, unknownLine(under(at, "id")))
		return v
	}
	line := draft.Lines[i]
	before := line.Quantity
	if in.Quantity != nil {
		if v.problems = checkQuantity(*in.Quantity, 0, under(at, "quantity")); len(v.problems) > 0 {
			return v
		}
		if *in.Quantity == 0 {
			draft.Lines = slices.Delete(draft.Lines, i, i+1)
			return v
		}
		line.Quantity = *in.Quantity
	}
	exchanged := in.VariantID != nil && *in.VariantID != line.VariantID
	if exchanged {
		line = lineDoc{ID: line.ID, VariantID: *in.VariantID, Quantity: line.Quantity, Attributes: line.Attributes}
	}
	if exchanged || line.Quantity > before {
		v.problems = append(v.problems, k.checkVariant(g, line.VariantID, under(at, "merchandiseId"))...)
	}
	if in.Attributes != nil {
		v.problems = append(v.problems, checkAttributes(*in.Attributes, under(at, "attributes"))...)
		line.Attributes = tidyAttributes(*in.Attributes)
	}
	if len(v.problems) > 0 {
		return v
	}

	draft.Lines[i] = line
	if in.Attributes != nil && !draft.attributesFit() {
		v.problems = append(v.problems, tooManyAttributes(under(at, "attributes")))
		return v
	}
	twin := slices.IndexFunc(draft.Lines, func(l lineDoc) bool { return l.ID != line.ID && line.like(l) })
	if twin >= 0 {
		id := draft.Lines[twin].ID
		line.Quantity += draft.Lines[twin].Quantity
		if line.Quantity > MaxQuantity {
			v.problems = append(v.problems, problem(CodeTooMany, under(at, "quantity"), "There may be at most %d units in one line; there would be %d.", MaxQuantity, line.Quantity))
			return v
		}
		line.ID = id
		draft.Lines[twin] = line
		draft.Lines = slices.Delete(draft.Lines, i, i+1)
		i = draft.line(id)
	}
	if in.Quantity == nil && !exchanged {
		return v // other attributes need no stock
	}
	room := draft.room(g, line)
	switch {
	case line.Quantity <= room:
	case room >= 1:
		v.warnings = append(v.warnings, notEnough(g, line, room, under(at, "quantity")))
		draft.Lines[i].Quantity = room
	case exchanged || line.Quantity > before:
		v.problems = append(v.problems, outOfStock(g, line, under(at, "merchandiseId")))
	}
	return v
}

// line is the place of a line in the cart, or -1.
func (c *cartDoc) line(id string) int {
	return slices.IndexFunc(c.Lines, func(l lineDoc) bool { return l.ID == id })
}

// like reports whether two lines are the same to a buyer.
func (l lineDoc) like(o lineDoc) bool {
	return l.VariantID == o.VariantID && slices.Equal(l.Attributes, o.Attributes)
}

// room is how many units the line may have: those in stock besides what the
// other lines of the same SKU have.
func (c *cartDoc) room(g goods, line lineDoc) int64 {
	sku := g.variants[line.VariantID].Variant.SKU
	room := g.available(sku)
	for _, l := range c.Lines {
		if l.ID != line.ID && g.variants[l.VariantID].Variant.SKU == sku {
			room -= l.Quantity
		}
	}
	return max(0, room)
}

func variantsOf(lines []LineInput) []string {
	var ids []string
	for _, l := range lines {
		if isVariantID(l.VariantID) {
			ids = append(ids, l.VariantID)
		}
	}
	return ids
}

// isVariantID reports whether the catalogue can be asked for this id.
func isVariantID(id string) bool { return id != "" && len(id) <= 128 && utf8.ValidString(id) }

func (k *Keeper) checkVariant(g goods, id string, field []string) []Problem {
	if _, ok := g.sold(id, k.rules.Currency); !ok {
		return []Problem{problem(CodeUnknownMerchandise, field, "There is no such item in the shop.")}
	}
	return nil
}

func checkQuantity(n, least int64, field []string) []Problem {
	switch {
	case n < least:
		return []Problem{problem(CodeQuantity, field, "The quantity must be at least %d.", least)}
	case n > MaxQuantity:
		return []Problem{problem(CodeTooMany, field, "There may be at most %d units in one line.", MaxQuantity)}
	}
	return nil
}

func unknownLine(field []string) Problem {
	return problem(CodeUnknownLine, field, "There is no such line in the cart.")
}

func tooManyAttributes(field []string) Problem {
	return problem(CodeTooMany, field, "The attributes of the cart and its lines may have at most %d bytes together.", maxAttributeBytes)
}

func outOfStock(g goods, line lineDoc, field []string) Problem {
	return problem(CodeOutOfStock, field, "%s is sold out.", g.name(line))
}

func notEnough(g goods, line lineDoc, left int64, field []string) Problem {
	return problem(CodeNotEnoughStock, field, "Only %d of %s can be bought now.", left, g.name(line))
}

// name is what a line is called in a sentence.
func (g goods) name(l lineDoc) string {
	title, variant := l.Title, l.VariantTitle
	if v, ok := g.variants[l.VariantID]; ok {
		title, variant = v.Product.Title, v.Variant.Title
	}
	switch {
	case title == "":
		return "This item"
	case variant == "" || variant == "Default Title":
		return fmt.Sprintf("“%s”", title)
	}
	return fmt.Sprintf("“%s” (%s)", title, variant)
}
