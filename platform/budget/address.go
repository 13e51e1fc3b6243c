package budget

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Proxies are the networks of proxies whose word is taken for where a request
// comes from.
type Proxies []netip.Prefix

// ParseProxies reads networks such as 10.0.0.0/8, or addresses.
func ParseProxies(texts []string) (Proxies, error) {
	var p Proxies
	for _, text := range texts {
		network, err := netip.ParsePrefix(text)
		if addr, addrErr := netip.ParseAddr(text); addrErr == nil {
			network, err = addr.Prefix(addr.BitLen())
		}
		if err != nil {
			return nil, fmt.Errorf("%s is not a network like 10.0.0.0/8, nor an address", text)
		}
		if addr := network.Addr(); addr.Is4In6() {
			return nil, fmt.Errorf("%s is an IPv4 network in the guise of IPv6: write it as IPv4", text)
		}
		p = append(p, network.Masked())
	}
	return p, nil
}

func (p Proxies) trust(addr netip.Addr) bool {
	return slices.ContainsFunc(p, func(n netip.Prefix) bool { return n.Contains(addr) })
}

// Address is where the request comes from: the other end of its connection,
// or, if that is one of ours, the last in X-Forwarded-For that is not. What
// stands before it the client may have written itself.
func (p Proxies) Address(r *http.Request) string {
	from, ok := parseAddr(r.RemoteAddr)
	if !ok {
		return r.RemoteAddr
	}
	for _, header := range slices.Backward(r.Header["X-Forwarded-For"]) {
		for header != "" && p.trust(from) {
			i := strings.LastIndexByte(header, ',')
			named, ok := parseAddr(strings.TrimSpace(header[i+1:]))
			if !ok {
				return from.String()
			}
			from, header = named, header[:max(0, i)]
		}
	}
	return from.String()
}

// parseAddr reads an address with or without a port.
func parseAddr(text string) (netip.Addr, bool) {
	if host, _, err := net.SplitHostPort(text); err == nil {
		text = host
	}
	addr, err := netip.ParseAddr(strings.Trim(text, "[]"))
	return addr.Unmap().WithZone(""), err == nil
}

// Network is what one client's address stands for: itself, or for IPv6 its
// network of 64 bits, within which a client may take any address it likes.
func Network(address string) string {
	addr, err := netip.ParseAddr(address)
	if err != nil || addr.Unmap().Is4() {
		return address
	}
	network, err := addr.WithZone("").Prefix(64)
	if err != nil {
		return address
	}
	return network.String()
}
