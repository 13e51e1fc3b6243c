package graph

import (
	"context"
	"errors"

	"ordergraph/graph/gengql"
	"ordergraph/graph/view"
	"ordergraph/platform/fault"
	"ordergraph/services/fulfilment"
)

// consignments is the list to pick from.
func (r *Resolver) consignments(ctx context.Context, first int32, after, status, warehouse *string) (*view.FulfillmentConnection, error) {
	if first < 0 || first > fulfilment.MaxPage {
		return nil, errInput.Field("first").Say("`first` of consignments must be from 0 to %d, not %d.", fulfilment.MaxPage, first)
	}
	page, err := r.fulfilment.List(ctx, caller(ctx), fulfilment.ListQuery{
		State: fulfilment.State(text(status)), Warehouse: text(warehouse), After: text(after), Limit: max(1, int(first)),
	})
	if err != nil {
		return nil, nameCursor(err, view.Window{})
	}
	if first == 0 {
		page = fulfilment.Page{HasMore: len(page.Consignments) > 0}
	}
	return view.NewConsignments(page, after != nil), nil
}

// refusals are the codes of what staff may meet.
var refusals = []struct {
	err  *fault.Error
	code string
}{
	{fulfilment.ErrNotFound, "NOT_FOUND"}, {fulfilment.ErrInput, "INVALID"}, {fulfilment.ErrState, "STATE"},
	{fulfilment.ErrTaken, "TAKEN"}, {fulfilment.ErrShort, "SHORT"}, {fulfilment.ErrCarrier, "CARRIER_REFUSED"},
}

// consigned shows what became of a step.
func consigned(c fulfilment.Consignment, err error) (*gengql.ConsignmentPayload, error) {
	p := &gengql.ConsignmentPayload{UserErrors: []view.ConsignmentUserError{}}
	for _, known := range refusals {
		if errors.Is(err, known.err) {
			e := fault.Of(err)
			p.UserErrors = append(p.UserErrors, view.ConsignmentUserError{Code: &known.code, Field: fieldOf(e, nil), Message: e.Message})
			return p, nil
		}
	}
	if err != nil {
		return nil, err
	}
	p.Consignment = view.NewFulfillment(c)
	return p, nil
}

// unitsOf keeps apart that all is meant and that nothing is.
func unitsOf(in []gengql.ConsignmentUnitsInput) []fulfilment.Units {
	if in == nil {
		return nil
	}
	units := make([]fulfilment.Units, len(in))
	for i, u := range in {
		units[i] = fulfilment.Units{SKU: u.Sku, Quantity: int64(u.Quantity)}
	}
	return units
}

// shipment reads how a consignment is handed over.
func shipment(short *bool, by *gengql.ConsignmentTrackingInput) fulfilment.ShipInput {
	in := fulfilment.ShipInput{Short: short != nil && *short}
	if by != nil {
		in.ByHand = &fulfilment.Tracking{Company: by.Company, Number: by.Number, URL: text(by.URL)}
	}
	return in
}
