package orderrpc

import (
	"ordergraph/platform/wire"
	"ordergraph/services/cart/cartrpc"
	"ordergraph/services/order"
)

// Functions called toX read what came over the wire, the others write it.
// What an order keeps of the cart travels in the cart's own messages.

func address(a order.Address) *Address {
	return &Address{
		FirstName: a.FirstName, LastName: a.LastName, Company: a.Company, Address1: a.Address1, Address2: a.Address2,
		City: a.City, Province: a.Province, Zip: a.Zip, Country: a.Country, Phone: a.Phone,
	}
}

func toAddress(a *Address) order.Address {
	return order.Address{
		FirstName: a.GetFirstName(), LastName: a.GetLastName(), Company: a.GetCompany(), Address1: a.GetAddress1(), Address2: a.GetAddress2(),
		City: a.GetCity(), Province: a.GetProvince(), Zip: a.GetZip(), Country: a.GetCountry(), Phone: a.GetPhone(),
	}
}

func view(o order.Order) *OrderView {
	return &OrderView{
		Id: o.ID, Number: o.Number, Version: o.Version, Status: string(o.Status), Reason: string(o.Reason), Problems: wire.Each(o.Problems, cartrpc.FromProblem),
		CreatedAt: wire.FromTime(o.CreatedAt), UpdatedAt: wire.FromTime(o.UpdatedAt), CustomerId: o.CustomerID, Email: o.Email, Phone: o.Phone, Locale: o.Locale,
		ShippingAddress: address(o.ShippingAddress), BillingAddress: address(o.BillingAddress), Quote: cartrpc.FromQuote(o.Quote),
		Payment: &Payment{
			State: o.Payment.State, ActionUrl: o.Payment.ActionURL, Brand: o.Payment.Brand, Last4: o.Payment.Last4,
			Captured: cartrpc.FromAmount(o.Payment.Captured), Refunded: cartrpc.FromAmount(o.Payment.Refunded),
		},
		Refunds: wire.Each(o.Refunds, refund), Timeline: wire.Each(o.Timeline, entry), CancelReason: o.CancelReason, AccessToken: o.AccessToken,
		Parcels: parcels(o.Parcels), Papers: wire.Each(o.Papers, paper), Messages: wire.Each(o.Messages, message),
	}
}

func toOrder(v *OrderView) order.Order {
	p := v.GetPayment()
	return order.Order{
		ID: v.GetId(), Number: v.GetNumber(), Version: v.GetVersion(), Status: order.Status(v.GetStatus()), Reason: order.Reason(v.GetReason()), Problems: wire.Each(v.GetProblems(), cartrpc.ToProblem),
		CreatedAt: wire.ToTime(v.GetCreatedAt()), UpdatedAt: wire.ToTime(v.GetUpdatedAt()), CustomerID: v.GetCustomerId(), Email: v.GetEmail(), Phone: v.GetPhone(), Locale: v.GetLocale(),
		ShippingAddress: toAddress(v.GetShippingAddress()), BillingAddress: toAddress(v.GetBillingAddress()), Quote: cartrpc.ToQuote(v.GetQuote()),
		Payment: order.PaymentView{
			State: p.GetState(), ActionURL: p.GetActionUrl(), Brand: p.GetBrand(), Last4: p.GetLast4(),
			Captured: cartrpc.ToAmount(p.GetCaptured()), Refunded: cartrpc.ToAmount(p.GetRefunded()),
		},
		Refunds: wire.Each(v.GetRefunds(), toRefund), Timeline: wire.Each(v.GetTimeline(), toEntry), CancelReason: v.GetCancelReason(), AccessToken: v.GetAccessToken(),
		Parcels: toParcels(v.GetParcels()), Papers: wire.Each(v.GetPapers(), toPaper), Messages: wire.Each(v.GetMessages(), toMessage),
	}
}

func entry(e order.Entry) *Entry {
	return &Entry{At: wire.FromTime(e.At), Status: string(e.Status), Cause: e.Cause}
}

func toEntry(e *Entry) order.Entry {
	return order.Entry{At: wire.ToTime(e.GetAt()), Status: order.Status(e.GetStatus()), Cause: e.GetCause()}
}

func parcels(p order.Progress) *Parcels {
	return &Parcels{
		Version: p.Version, Consignments: p.Consignments, Begun: p.Begun,
		Shipped: p.Shipped, Delivered: p.Delivered, Failed: p.Failed, Returned: p.Returned,
	}
}

func toParcels(p *Parcels) order.Progress {
	return order.Progress{
		Version: p.GetVersion(), Consignments: p.GetConsignments(), Begun: p.GetBegun(),
		Shipped: p.GetShipped(), Delivered: p.GetDelivered(), Failed: p.GetFailed(), Returned: p.GetReturned(),
	}
}

func paper(p order.Paper) *Paper {
	return &Paper{Id: p.ID, Kind: string(p.Kind), At: wire.FromTime(p.At)}
}

func toPaper(p *Paper) order.Paper {
	return order.Paper{ID: p.GetId(), Kind: order.PaperKind(p.GetKind()), At: wire.ToTime(p.GetAt())}
}

func message(m order.Message) *Message {
	return &Message{Id: m.ID, Kind: m.Kind, Channel: m.Channel, Status: m.Status, At: wire.FromTime(m.At)}
}

func toMessage(m *Message) order.Message {
	return order.Message{ID: m.GetId(), Kind: m.GetKind(), Channel: m.GetChannel(), Status: m.GetStatus(), At: wire.ToTime(m.GetAt())}
}

func finding(f order.Finding) *Finding {
	return &Finding{OrderId: f.OrderID, Rule: string(f.Rule), Detail: f.Detail}
}

func toFinding(f *Finding) order.Finding {
	return order.Finding{OrderID: f.GetOrderId(), Rule: order.Rule(f.GetRule()), Detail: f.GetDetail()}
}
