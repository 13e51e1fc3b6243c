package identity

import "time"

// A Session is a caller who has shown who it is, and how long that holds. The
// zero Session is a guest's, who has nothing that could end.
type Session struct {
	Caller  Caller
	ID      string    // names the session among those that can be ended; "" for guests
	Expires time.Time // zero: never
}
