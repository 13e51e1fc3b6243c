package events

import "time"

// BlockFor lets the reads of the bus's listeners block for so long.
func (b *Bus) BlockFor(d time.Duration) { b.block = d }
