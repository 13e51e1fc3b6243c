package transport

// Beginnings is how many operations of sockets are begun at a time.
func Beginnings() int { return cap(newTurns(beginningsPerCore)) }

// Anew is what is executed for each event.
var Anew = anew
