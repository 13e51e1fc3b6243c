package activity_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"ordergraph/platform/activity"
	"ordergraph/platform/identity"
)

// Of any times, so many of 100 were done within what is said, which is at most
// 7.2 % too long; two services' times are one's.
func TestHowLongItTook(t *testing.T) {
	w := newWorld(t)
	rapid.Check(t, func(rt *rapid.T) {
		w.Pass(time.Minute)
		r := w.process()
		times := rapid.SliceOfN(rapid.Int64Range(int64(time.Millisecond), int64(time.Hour)), 1, 200).Draw(rt, "times")
		for _, took := range times {
			r.CountTook("confirmed", "", time.Duration(took))
		}
		w.write(r)
		report, err := r.Read(t.Context(), identity.Ourselves(), w.Now().Truncate(time.Minute))
		if err != nil || len(report.Minutes) != 1 {
			rt.Fatalf("%+v %v", report, err)
		}
		for _, ofHundred := range []float64{1, 50, 99, 100} {
			got, ok := activity.Within(report.Minutes[0].Counts[0].Took, ofHundred)
			as, shorter := 0, 0
			for _, took := range times {
				if time.Duration(took) <= got {
					as++
				}
				if float64(took) <= float64(got)/1.072 {
					shorter++
				}
			}
			need := float64(len(times)) * ofHundred / 100
			if !ok || float64(as) < need || float64(shorter) >= need && shorter > 0 {
				rt.Fatalf("%v of 100 within %v: %d of %d, and %d clearly sooner", ofHundred, got, as, len(times), shorter)
			}
		}
	})
}

func TestTimesBeyondAllMeasure(t *testing.T) {
	w := newWorld(t)
	r := w.process()
	for _, took := range []time.Duration{-time.Second, 0, time.Nanosecond, time.Millisecond, 1 << 62} {
		r.CountTook("confirmed", "", took)
	}
	w.write(r)
	report, err := r.Read(t.Context(), identity.Ourselves(), w.Now().Truncate(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	took := report.Minutes[0].Counts[0].Took
	if half, _ := activity.Within(took, 50); half != time.Millisecond {
		t.Errorf("half within %v", half)
	}
	if all, _ := activity.Within(took, 100); all < time.Hour {
		t.Errorf("all within %v", all)
	}
	if _, ok := activity.Within(nil, 50); ok {
		t.Error("nothing has a median")
	}
}
