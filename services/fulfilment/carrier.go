package fulfilment

import (
	"context"
	"errors"
	"net/http"

	"ordergraph/services/order"
)

// A Carrier takes parcels to customers.
type Carrier interface {
	// Book hands a parcel over. The same key always gives the same booking,
	// so that a call whose answer was lost is made again with its key. A
	// *Refusal is a definite no; after any other error the carrier may have
	// booked it.
	Book(ctx context.Context, key string, p Parcel) (Tracking, error)
	// Track asks how far a parcel has come. ErrNoParcel.
	Track(ctx context.Context, number string) (CarrierStatus, error)
	// Notice checks the signature of what the carrier told, and reads it.
	// ErrForged.
	Notice(secret string, header http.Header, body []byte) (Notice, error)
}

// A Parcel is what a carrier must know of a consignment.
type Parcel struct {
	Reference string // the consignment's id: the carrier tells it back
	To        order.Address
	Units     int64
}

// CarrierStatus is where a parcel is.
type CarrierStatus string

// The states of a parcel, in their order.
const (
	Booked         CarrierStatus = "BOOKED"
	InTransit      CarrierStatus = "IN_TRANSIT"
	OutForDelivery CarrierStatus = "OUT_FOR_DELIVERY"
	Arrived        CarrierStatus = "DELIVERED"
	Undeliverable  CarrierStatus = "FAILED"
)

// A Notice is what the carrier says happened. It is a hint, never believed:
// the carrier is asked.
type Notice struct{ Reference, Number string }

// A Refusal is a definite no of the carrier.
type Refusal struct{ Reason string } // for staff

func (r *Refusal) Error() string { return "the carrier refuses the parcel: " + r.Reason }

var (
	// ErrForged is a notice that the carrier did not sign.
	ErrForged = errors.New("fulfilment: not signed by the carrier")
	// ErrNoParcel is a number that the carrier does not know.
	ErrNoParcel = errors.New("fulfilment: the carrier knows no such parcel")
)
