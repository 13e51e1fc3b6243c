package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// How much garbage the process lets come together before it collects it:
// spareMemory in bytes, but in percent of what is alive at least leastGarbage
// and at most mostGarbage.
const (
	spareMemory  = 192 << 20
	leastGarbage = 50
	mostGarbage  = 400
)

// tuneMemory trades memory for time, unless the operator has decided with
// GOGC: a gateway makes much garbage per request and keeps little, so that
// collecting it less often gives a third more requests for a few hundred
// megabytes. What it keeps is mostly connections that wait. Each of them is
// dear enough by itself; a percentage that stands would let it cost several
// times its own memory in garbage that others make. So it is the garbage that
// stands, and the percentage follows from it after each collection. GOMEMLIMIT
// bounds it all.
func tuneMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(mostGarbage)
		afterCollection(adjustGarbage)
	}
}

// afterCollection calls do after the next collection and each that follows.
func afterCollection(do func()) {
	collected := new(*byte) // nobody has it, so the next collection finds it
	runtime.AddCleanup(collected, func(do func()) {
		do()
		afterCollection(do)
	}, do)
}

func adjustGarbage() {
	now := []metrics.Sample{{Name: "/gc/gogc:percent"}, {Name: "/gc/heap/live:bytes"}, {Name: "/gc/scan/stack:bytes"}}
	metrics.Read(now)
	percent := garbagePercent(now[1].Value.Uint64() + now[2].Value.Uint64())
	if now[0].Value.Uint64() != uint64(percent) {
		debug.SetGCPercent(percent)
	}
}

// garbagePercent is the percentage that leaves spareMemory for garbage beside
// so many bytes that are alive.
func garbagePercent(alive uint64) int {
	return int(min(max(spareMemory*100/max(alive, 1), leastGarbage), mostGarbage))
}
