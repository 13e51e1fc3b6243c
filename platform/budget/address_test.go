package budget_test

import (
	"net/http"
	"testing"

	"ordergraph/platform/budget"
)

func TestAddress(t *testing.T) {
	ours, err := budget.ParseProxies([]string{"10.0.0.0/8", "192.0.2.7", "2001:db8:1::/48"})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		proxies   budget.Proxies
		peer      string
		forwarded []string
		want      string
	}{
		"nobody is trusted":             {nil, "203.0.113.9:1", []string{"198.51.100.1"}, "203.0.113.9"},
		"a stranger's header":           {ours, "203.0.113.9:1", []string{"198.51.100.1"}, "203.0.113.9"},
		"our proxy":                     {ours, "10.0.0.1:1", []string{"198.51.100.1"}, "198.51.100.1"},
		"our proxy by its address":      {ours, "192.0.2.7:1", []string{"198.51.100.1"}, "198.51.100.1"},
		"an address beside it":          {ours, "192.0.2.8:1", []string{"198.51.100.1"}, "192.0.2.8"},
		"the client wrote the first":    {ours, "10.0.0.1:1", []string{"1.2.3.4, 198.51.100.1"}, "198.51.100.1"},
		"the client wrote one of ours":  {ours, "10.0.0.1:1", []string{"10.9.9.9, 198.51.100.1"}, "198.51.100.1"},
		"the client wrote its own line": {ours, "10.0.0.1:1", []string{"1.2.3.4", "198.51.100.1"}, "198.51.100.1"},
		"two proxies":                   {ours, "10.0.0.1:1", []string{"1.2.3.4, 198.51.100.1, 10.0.0.2"}, "198.51.100.1"},
		"two proxies, two lines":        {ours, "10.0.0.1:1", []string{"198.51.100.1", "10.0.0.2"}, "198.51.100.1"},
		"nonsense":                      {ours, "10.0.0.1:1", []string{"198.51.100.1, unknown"}, "10.0.0.1"},
		"an empty place":                {ours, "10.0.0.1:1", []string{"198.51.100.1,"}, "10.0.0.1"},
		"only ours":                     {ours, "10.0.0.1:1", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		"no header":                     {ours, "10.0.0.1:1", nil, "10.0.0.1"},
		"ports":                         {ours, "10.0.0.1:1", []string{"198.51.100.1:4711"}, "198.51.100.1"},
		"IPv6":                          {ours, "[2001:db8:1::5]:1", []string{"[2001:db8:2::1]:4711"}, "2001:db8:2::1"},
		"IPv4 in IPv6":                  {ours, "[::ffff:10.0.0.1]:1", []string{"198.51.100.1"}, "198.51.100.1"},
	} {
		r := &http.Request{RemoteAddr: c.peer, Header: http.Header{"X-Forwarded-For": c.forwarded}}
		if got := c.proxies.Address(r); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	for _, wrong := range []string{"10.0.0.0/33", "proxy", "", "::ffff:10.0.0.0/104"} {
		if _, err := budget.ParseProxies([]string{wrong}); err == nil {
			t.Errorf("%q is taken for a network", wrong)
		}
	}
}

func TestNetwork(t *testing.T) {
	for address, want := range map[string]string{
		"198.51.100.1":     "198.51.100.1",
		"2001:db8:2:3::1":  "2001:db8:2:3::/64",
		"2001:db8:2:3::ff": "2001:db8:2:3::/64",
		"2001:db8:2:4::1":  "2001:db8:2:4::/64",
		"@":                "@",
	} {
		if got := budget.Network(address); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}
