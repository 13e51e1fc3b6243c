package events

import "time"

// BlockFor lets the reads of the bus's listeners block for so long.
func (b *Bus) BlockFor(d time.Duration) { b.block = d }

// WaitForTurns lets facts wait so long for their turn.
func (b *Bus) WaitForTurns(d time.Duration) { b.patient = d }

// Blames is how a listener judges an error.
var Blames = blames

// MostTries is how often a listener may fail to take a fact.
const MostTries = mostTries

// LaneOf is the lane that facts of a key take.
var LaneOf = laneOf
