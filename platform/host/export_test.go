package host

import "google.golang.org/grpc"

// DialOver is Dial over a network of the test's own.
func DialOver[S any](c Contract[S], more ...grpc.DialOption) (S, *grpc.ClientConn, error) {
	conn, err := c.dial("passthrough:///"+c.Name, "", more...)
	return c.Dial(conn), conn, err
}
