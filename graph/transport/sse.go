package transport

// events is the framing of an event stream for one operation. The data of
// `complete` is empty but there: browsers do not report an event without.
//
// The stream begins when the operation does. What is wrong with a request is
// answered before that, with a status of 4xx and JSON, even where the protocol
// would have an event: a browser does not come back then, and whoever writes a
// client finds the reason in the body. What fails once the operation has begun,
// such as the search for an order that does not exist, is an event and the end.
var events = framing{
	kind:     []string{"text/event-stream; charset=utf-8"},
	opening:  ":\n\n",
	beat:     ":\n\n",
	before:   "event: next\ndata: ",
	after:    "\n\n",
	complete: "event: complete\ndata: \n\n",
}
