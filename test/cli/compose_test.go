package cli

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"ordergraph/services"
)

// docker-compose.yml runs the gateway and every service, tells all of them where
// the others are, and sets nothing that the program does not know.
func TestCompose(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docker-compose.yml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Every struct {
			Environment map[string]string `yaml:"environment"`
		} `yaml:"x-service"`
		Services map[string]struct {
			Command     string            `yaml:"command"`
			Environment map[string]string `yaml:"environment"`
		} `yaml:"services"`
	}
	// What is merged may be set anew.
	if err := yaml.UnmarshalWithOptions(text, &file, yaml.AllowDuplicateMapKey()); err != nil {
		t.Fatal(err)
	}
	for _, name := range append(services.Names(), "graph", "sandbox") {
		if got := file.Services[name].Command; got != "serve "+name {
			t.Errorf("%s is started by %q", name, got)
		}
	}
	for _, name := range services.Names() {
		if got, want := file.Every.Environment[strings.ToUpper(name)+"_ADDR"], "dns:///"+name+":9090"; got != want {
			t.Errorf("%s is looked for at %q, not %s", name, got, want)
		}
	}
	help := run(t, nil, "serve", "--help").want(0).out
	for name := range file.Every.Environment {
		if !strings.Contains(help, "($"+name) {
			t.Errorf("the program does not know %s", name)
		}
	}
	for name := range file.Services["sandbox"].Environment {
		if !strings.Contains(help, "($"+name) {
			t.Errorf("the program does not know %s", name)
		}
	}
}

// Services in containers call the sandbox by a name that browsers do not know:
// where a customer has to confirm a payment is said by the one that they do.
func TestSandboxSendsCustomersWhereTheyGet(t *testing.T) {
	t.Parallel()
	s := serve(t, fresh(t), "sandbox")
	form := url.Values{
		"amount": {"1990"}, "currency": {"eur"}, "payment_method": {"pm_card_authenticationRequired"},
		"confirm": {"true"}, "return_url": {"http://shop.example/"},
	}
	req, err := http.NewRequest(http.MethodPost, "http://"+s.set["SANDBOX_ADDR"]+"/v1/payment_intents", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "sandbox:8090"
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Authorization", "Bearer sk_test_sandbox")
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var intent struct {
		Next struct {
			Redirect struct {
				URL string `json:"url"`
			} `json:"redirect_to_url"`
		} `json:"next_action"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&intent); err != nil {
		t.Fatal(err)
	}
	if got, want := intent.Next.Redirect.URL, "http://"+s.set["SANDBOX_ADDR"]+"/"; !strings.HasPrefix(got, want) {
		t.Errorf("the customer is sent to %q, not to %s", got, want)
	}
}
