package main

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"time"
)

// A row is one line of the report.
type row struct {
	name     string
	decimals int
	aim      float64 // at most this much; 0: no aim
	value    func(r result) float64
}

// rows are what is shown of a result; what a server does not have is NaN.
func rows(l load) []row {
	n := float64(l.sockets)
	kb := func(bytes int64) float64 { return float64(bytes) / 1024 / n }
	ms := func(micros int64) float64 { return float64(micros) / 1000 }
	cpu := func(d time.Duration, times float64) float64 { return 1e6 * d.Seconds() / max(1, times) }
	goroutines := func(later usage, r result) float64 {
		if later.goroutines == 0 {
			return math.NaN()
		}
		return float64(later.goroutines - r.before.goroutines)
	}
	round := func(times []time.Duration, i int) float64 {
		if len(times) == 0 {
			return math.NaN()
		}
		return times[i].Seconds()
	}
	return []row{
		{"all open, s", 2, 0, func(r result) float64 { return r.open.Seconds() }},
		{"  server CPU, µs/socket", 0, 0, func(r result) float64 { return cpu(r.openCPU, n) }},
		{"live memory, KB/socket", 1, 0, func(r result) float64 { return kb(r.held.live - r.before.live) }},
		{"resident, KB/socket", 1, 45, func(r result) float64 { return kb(r.held.resident - r.before.resident) }},
		{"goroutines/socket", 2, 3, func(r result) float64 { return goroutines(r.held, r) / n }},
		{"changes/s", 0, 0, func(r result) float64 { return float64(r.changes) / r.took.Seconds() }},
		{"  events", 0, 0, func(r result) float64 { return float64(r.events) }},
		{"  folded into a later one", 0, 0, func(r result) float64 { return float64(r.folded) }},
		{"  clients without the last", 0, 0, func(r result) float64 { return float64(r.missing) }},
		{"  server CPU, µs/change", 0, 0, func(r result) float64 { return cpu(r.cpu, float64(r.changes)) }},
		{"delivery p50, ms", 2, 0, func(r result) float64 { return ms(r.delays.ValueAtQuantile(50)) }},
		{"delivery p99, ms", 2, 10, func(r result) float64 { return ms(r.delays.ValueAtQuantile(99)) }},
		{"delivery max, ms", 2, 0, func(r result) float64 { return ms(r.delays.Max()) }},
		{"  noise: generator p99, ms", 2, 0, func(r result) float64 { return ms(r.lateness.ValueAtQuantile(99)) }},
		{"all told one thing, s", 3, 0, func(r result) float64 { return round(r.tellAll, len(r.tellAll)/2) }},
		{"  slowest round, s", 3, 1, func(r result) float64 { return round(r.tellAll, len(r.tellAll)-1) }},
		{"  server CPU, µs/event", 1, 0, func(r result) float64 { return cpu(r.tellAllCPU, n) }},
		{"all left: goroutines kept", 0, slack, func(r result) float64 { return goroutines(r.after, r) }},
		// About 1 KB is Go's own: it keeps the descriptors of goroutines that ended.
		{"  live memory kept, KB/socket", 2, 2, func(r result) float64 { return kb(r.after.live - r.before.live) }},
	}
}

// report prints the results side by side: the gateway, and if it was measured
// the server on Node. An aim that is missed is only said, since machines
// differ.
func report(out io.Writer, l load, results []result) {
	const line = "%-29s %10v %10v %8v  %v\n"
	fmt.Fprintf(out, line, "", "gateway", "graphql-ws", "ratio", "aim")
	for _, row := range rows(l) {
		ours := row.value(results[0])
		theirs, ratio, aim := "-", "-", ""
		if len(results) > 1 {
			other := row.value(results[1])
			theirs = decimals(row.decimals, other)
			if ours > 0 && other > 0 {
				ratio = decimals(2, ours/other)
			}
		}
		switch {
		case row.aim > 0 && ours <= row.aim:
			aim = fmt.Sprintf("≤ %v ok", row.aim)
		case row.aim > 0:
			aim = fmt.Sprintf("≤ %v MISSED", row.aim)
		}
		fmt.Fprintf(out, line, row.name, decimals(row.decimals, ours), theirs, ratio, aim)
	}
	fmt.Fprint(out, `
Live memory is what a collection leaves, stacks included. Resident is what the
system has given, with garbage and gaps; its own buffers are in neither.
graphql-ws gets an order with the notice, the gateway asks the order service
for it. Clients and servers share the processors: where the generator itself
is late (noise), so is the rest.
`)
}

func decimals(n int, f float64) string {
	if math.IsNaN(f) {
		return "-"
	}
	return strconv.FormatFloat(f, 'f', n, 64)
}
