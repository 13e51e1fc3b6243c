package orderrpc

import (
	"ordergraph/platform/wire"
	"ordergraph/services/cart/cartrpc"
	"ordergraph/services/order"
)

func refund(r order.Refund) *Refund {
	return &Refund{
		Id: r.ID, Amount: cartrpc.FromAmount(r.Amount), Lines: wire.Each(r.Lines, refundLine), Shipping: cartrpc.FromAmount(r.Shipping),
		Reason: r.Reason, At: wire.FromTime(r.At), State: string(r.State),
	}
}

func toRefund(r *Refund) order.Refund {
	return order.Refund{
		ID: r.GetId(), Amount: cartrpc.ToAmount(r.GetAmount()), Lines: wire.Each(r.GetLines(), toRefundLine), Shipping: cartrpc.ToAmount(r.GetShipping()),
		Reason: r.GetReason(), At: wire.ToTime(r.GetAt()), State: order.RefundState(r.GetState()),
	}
}

func refundLine(l order.RefundLine) *RefundLine {
	return &RefundLine{LineId: l.LineID, Quantity: l.Quantity, Amount: cartrpc.FromAmount(l.Amount)}
}

func toRefundLine(l *RefundLine) order.RefundLine {
	return order.RefundLine{LineID: l.GetLineId(), Quantity: l.GetQuantity(), Amount: cartrpc.ToAmount(l.GetAmount())}
}

func refundUnits(u order.RefundUnits) *RefundUnits {
	return &RefundUnits{LineId: u.LineID, Quantity: u.Quantity}
}

func toRefundUnits(u *RefundUnits) order.RefundUnits {
	return order.RefundUnits{LineID: u.GetLineId(), Quantity: u.GetQuantity()}
}
