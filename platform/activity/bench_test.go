package activity_test

import (
	"testing"
	"time"

	"ordergraph/platform/activity"
	"ordergraph/platform/clocktest"
	"ordergraph/platform/docstore/docstoretest"
	"ordergraph/platform/identity"
)

func BenchmarkCount(b *testing.B) {
	r, err := activity.Open(b.Context(), activity.Options{Store: docstoretest.Memory(b)})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		r.CountTook("confirmed", "", 120*time.Millisecond)
	}
}

// A whole day of four processes: read by one that has just begun, and by one
// that watches.
func BenchmarkReadADay(b *testing.B) {
	w := &world{Clock: clocktest.Still(), t: nil, store: docstoretest.Memory(b)}
	open := func() *activity.Recorder {
		r, err := activity.Open(b.Context(), activity.Options{Store: w.store, Now: w.Now})
		if err != nil {
			b.Fatal(err)
		}
		return r
	}
	processes := []*activity.Recorder{open(), open(), open(), open()}
	for range 1440 {
		for _, r := range processes {
			for i := range 5 {
				r.Count("placed", "")
				r.Count("failed", "TIMEOUT")
				r.CountTook("confirmed", "", time.Duration(i)*100*time.Millisecond)
			}
			if err := r.Write(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
		w.Pass(time.Minute)
	}
	read := func(b *testing.B, r *activity.Recorder) {
		report, err := r.Read(b.Context(), identity.Ourselves(), w.Now().Add(-activity.Kept))
		if err != nil || len(report.Minutes) < 1440 {
			b.Fatal(len(report.Minutes), err)
		}
	}
	b.Run("first", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			read(b, open())
		}
	})
	b.Run("again", func(b *testing.B) {
		read(b, processes[0])
		b.ReportAllocs()
		for b.Loop() {
			w.Pass(time.Second)
			processes[1].Count("placed", "")
			if err := processes[1].Write(b.Context()); err != nil {
				b.Fatal(err)
			}
			read(b, processes[0])
		}
	})
}
