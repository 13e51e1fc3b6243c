package transport

// events is the framing of an event stream for one operation. The data of
// `complete` is empty but there: browsers do not report an event without.
var events = framing{
	kind:     []string{"text/event-stream; charset=utf-8"},
	opening:  ":\n\n",
	beat:     ":\n\n",
	before:   "event: next\ndata: ",
	after:    "\n\n",
	complete: "event: complete\ndata: \n\n",
}
