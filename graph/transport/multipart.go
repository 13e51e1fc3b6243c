package transport

// parts is the framing of Apollo's multipart subscriptions. A client knows
// where a part ends only by the boundary behind it, which is therefore written
// together with the part.
var parts = framing{
	kind:     []string{`multipart/mixed;boundary="` + boundary + `";subscriptionSpec="1.0"`},
	opening:  "\r\n--" + boundary,
	beat:     partHead + "{}" + partEnd,
	before:   partHead + `{"payload":`,
	after:    "}" + partEnd,
	complete: "--\r\n",
	leaving:  partHead + `{"payload":null,"errors":[{"message":"This server is about to stop. Please subscribe again.","extensions":{"code":"UNAVAILABLE"}}]}` + partEnd + "--\r\n",
}

const (
	boundary = "graphql"
	partHead = "\r\nContent-Type: application/json\r\n\r\n"
	partEnd  = "\r\n--" + boundary
)
