package fulfilmentrpc

import (
	"ordergraph/platform/wire"
	"ordergraph/services/fulfilment"
)

// Functions called toX read what came over the wire, the others write it.

func one(c fulfilment.Consignment, err error) (*Consignment, error) {
	if err != nil {
		return nil, err
	}
	return consignment(c), nil
}

func toOne(c *Consignment, err error) (fulfilment.Consignment, error) {
	if err != nil {
		return fulfilment.Consignment{}, err
	}
	return toConsignment(c), nil
}

func consignment(c fulfilment.Consignment) *Consignment {
	out := &Consignment{
		Id: c.ID, OrderId: c.OrderID, OrderNumber: c.OrderNumber, Warehouse: c.Warehouse, State: string(c.State), Problem: c.Problem,
		CreatedAt: wire.FromTime(c.CreatedAt), UpdatedAt: wire.FromTime(c.UpdatedAt),
		Lines: wire.Each(c.Lines, func(l fulfilment.Line) *Line {
			return &Line{Sku: l.SKU, Title: l.Title, Quantity: l.Quantity, Packed: l.Packed, Returned: l.Returned}
		}),
	}
	out.Tracking = tracking(c.Tracking)
	return out
}

func toConsignment(c *Consignment) fulfilment.Consignment {
	out := fulfilment.Consignment{
		ID: c.GetId(), OrderID: c.GetOrderId(), OrderNumber: c.GetOrderNumber(), Warehouse: c.GetWarehouse(), State: fulfilment.State(c.GetState()), Problem: c.GetProblem(),
		CreatedAt: wire.ToTime(c.GetCreatedAt()), UpdatedAt: wire.ToTime(c.GetUpdatedAt()),
		Lines: wire.Each(c.GetLines(), func(l *Line) fulfilment.Line {
			return fulfilment.Line{SKU: l.GetSku(), Title: l.GetTitle(), Quantity: l.GetQuantity(), Packed: l.GetPacked(), Returned: l.GetReturned()}
		}),
	}
	out.Tracking = toTracking(c.GetTracking())
	return out
}

func tracking(t *fulfilment.Tracking) *Tracking {
	if t == nil {
		return nil
	}
	return &Tracking{Company: t.Company, Number: t.Number, Url: t.URL, Status: string(t.Status)}
}

func toTracking(t *Tracking) *fulfilment.Tracking {
	if t == nil {
		return nil
	}
	return &fulfilment.Tracking{Company: t.GetCompany(), Number: t.GetNumber(), URL: t.GetUrl(), Status: fulfilment.CarrierStatus(t.GetStatus())}
}

// units keeps apart that all is meant and that nothing is.
func units(all []fulfilment.Units) *UnitsOf {
	if all == nil {
		return nil
	}
	return &UnitsOf{Units: wire.Each(all, func(u fulfilment.Units) *Units { return &Units{Sku: u.SKU, Quantity: u.Quantity} })}
}

func toUnits(all *UnitsOf) []fulfilment.Units {
	if all == nil {
		return nil
	}
	out := make([]fulfilment.Units, len(all.GetUnits()))
	for i, u := range all.GetUnits() {
		out[i] = fulfilment.Units{SKU: u.GetSku(), Quantity: u.GetQuantity()}
	}
	return out
}
