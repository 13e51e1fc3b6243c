package notification

import "testing"

// What stands in a place is nobody's form: a customer's name fills no other.
func TestFill(t *testing.T) {
	places := []string{"name", "{shop}", "shop", "Harbour", "n", "2"}
	for form, want := range map[string]string{
		"":                           "",
		"Hello":                      "Hello",
		"Hello {name}, from {shop}!": "Hello {shop}, from Harbour!",
		"{n}{n}":                     "22",
		"{unknown} {n}":              "{unknown} 2",
		"{{n}}":                      "{2}",
		"{n":                         "{n",
		"}{":                         "}{",
		"{}":                         "{}",
	} {
		if got := fill(form, places); got != want {
			t.Errorf("%q: %q, want %q", form, got, want)
		}
	}
}
