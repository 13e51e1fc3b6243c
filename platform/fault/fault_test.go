package fault_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"ordergraph/platform/fault"
)

var errSoldOut = fault.New(fault.Conflict, "test.sold_out", "This is sold out.")

func TestKindAndCodeSurviveWrapping(t *testing.T) {
	err := fmt.Errorf("reserve mug: %w", errSoldOut.With("sku", "mug"))
	if !errors.Is(err, errSoldOut) || fault.KindOf(err) != fault.Conflict || fault.Of(err).Details["sku"] != "mug" {
		t.Errorf("%+v", fault.Of(err))
	}
	if errSoldOut.Details != nil {
		t.Error("With changed the declared error")
	}
}

func TestUndeclaredErrorsGiveNothingAway(t *testing.T) {
	e := fault.Of(errors.New("dial tcp 10.0.0.7: password hunter2"))
	if e.Kind != fault.Internal || strings.Contains(e.Error(), "hunter2") {
		t.Errorf("%+v", e)
	}
	if fault.Of(nil) != nil {
		t.Error("Of(nil) is an error")
	}
	if fault.KindOf(fmt.Errorf("x: %w", context.DeadlineExceeded)) != fault.DeadlineExceeded ||
		fault.KindOf(context.Canceled) != fault.Canceled {
		t.Error("contexts are not classified")
	}
}

func TestErrorsSurviveTheWire(t *testing.T) {
	for kind := fault.Internal; kind <= fault.Canceled; kind++ {
		e := fault.New(kind, "test."+kind.String(), "A sentence.").With("field", "lines.0")
		back := fault.FromStatus(fault.ToStatus(fmt.Errorf("secret context: %w", e)))
		got := fault.Of(back)
		if !errors.Is(back, e) || got.Kind != kind || got.Message != "A sentence." || got.Details["field"] != "lines.0" {
			t.Errorf("%v became %+v", kind, got)
		}
		if strings.Contains(back.Error(), "secret context") {
			t.Errorf("%v carries what was wrapped around it", kind)
		}
	}
	if fault.ToStatus(nil) != nil || fault.FromStatus(nil) != nil {
		t.Error("nil became an error")
	}
}

func TestErrorsOfTheTransportKeepTheirKind(t *testing.T) {
	err := fault.FromStatus(status.Error(codes.Unavailable, "connection refused by 10.0.0.7"))
	if fault.KindOf(err) != fault.Unavailable || strings.Contains(fault.Of(err).Message, "10.0.0.7") {
		t.Errorf("%+v", fault.Of(err))
	}
	if !strings.Contains(err.Error(), "10.0.0.7") {
		t.Error("the log would not know which connection")
	}
}
