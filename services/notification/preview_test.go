package notification_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ordergraph/services/notification"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Every message in every language, as it was when somebody last read it.
// -update writes the files; read what has changed.
func TestWhatIsSaid(t *testing.T) {
	for _, language := range notification.Languages() {
		var all bytes.Buffer
		for _, template := range notification.Templates() {
			shown := preview(t, notification.Sample{Template: template, Language: language, Logo: []byte("png"), OrderPage: "https://shop.example/order/"})
			fmt.Fprintf(&all, "===== %s by %s", template.Kind, template.Channel)
			if template.Channel == notification.SMS {
				fmt.Fprintf(&all, ", %d segment(s)\n%s\n", shown.Segments, shown.Text.Body)
				continue
			}
			fmt.Fprintf(&all, "\nSubject: %s\n\n%s\n", shown.Letter.Subject, shown.Letter.Text)
		}
		golden(t, language+".txt", all.Bytes())
	}
}

// The layout, of the mail that has most in it.
func TestHowItLooks(t *testing.T) {
	shown := preview(t, notification.Sample{
		Template: notification.Template{Kind: notification.OrderConfirmed, Channel: notification.Mail}, Language: "en-US", InvoiceSoon: true, Logo: []byte("png"),
	})
	golden(t, "confirmed.html", []byte(shown.Letter.HTML))
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what is said now; if that is meant, run the test with -update:\n%s", file, got)
	}
}

func preview(t *testing.T, s notification.Sample) notification.Shown {
	t.Helper()
	shown, err := notification.Preview(s)
	if err != nil {
		t.Fatalf("%s by %s: %v", s.Kind, s.Channel, err)
	}
	return shown
}

func TestInvoiceInTheFooter(t *testing.T) {
	confirmed := notification.Template{Kind: notification.OrderConfirmed, Channel: notification.Mail}
	for soon, want := range map[bool]string{true: "We will send invoice soon", false: "Your invoice is attached."} {
		l := preview(t, notification.Sample{Template: confirmed, InvoiceSoon: soon}).Letter
		_, footer, _ := strings.Cut(l.Text, "\n-- \n")
		if !strings.HasPrefix(footer, want+"\n") || strings.Count(l.HTML, want) != 1 {
			t.Errorf("%t: %s", soon, l.Text)
		}
	}
}

// In English and German one segment says it, with a short link as well.
func TestTextsAreShort(t *testing.T) {
	for _, template := range notification.Templates() {
		if template.Channel != notification.SMS {
			continue
		}
		for language, most := range map[string]int{"en": 1, "de": 1, "hi": 2} {
			s := notification.Sample{Template: template, Language: language, ShopName: "Ada’s “Harbour” Store"}
			if shown := preview(t, s); shown.Segments > most || shown.Text.Body == "" || shown.Text.To != "+491701234567" {
				t.Errorf("%s in %s: %d segments: %s", template.Kind, language, shown.Segments, shown.Text.Body)
			}
			// However long the link and the name are, it stays within bounds.
			s.OrderPage, s.ShopName = "https://shop.example/"+strings.Repeat("long/", 100), strings.Repeat("Name ", 50)
			if shown := preview(t, s); shown.Segments > 3 || strings.Contains(shown.Text.Body, "long/") {
				t.Errorf("%s in %s: %d segments: %s", template.Kind, language, shown.Segments, shown.Text.Body)
			}
		}
	}
}

func TestPreview(t *testing.T) {
	for _, template := range []notification.Template{{Kind: "advertisement", Channel: notification.Mail}, {Kind: notification.OrderRefunded, Channel: notification.SMS}, {}} {
		if _, err := notification.Preview(notification.Sample{Template: template}); !errors.Is(err, notification.ErrNoMessage) {
			t.Errorf("%v: %v", template, err)
		}
	}
	for _, template := range notification.Templates() {
		shown := preview(t, notification.Sample{Template: template, Language: "fi"})
		if !shown.Missing || shown.Language != "en" {
			t.Errorf("%v in Finnish: %+v", template, shown)
		}
		if shown = preview(t, notification.Sample{Template: template, Language: "de-AT"}); shown.Missing || shown.Language != "de" {
			t.Errorf("%v in Austrian: %+v", template, shown)
		}
	}
	l := preview(t, notification.Sample{Template: notification.Templates()[0], Logo: []byte("png")}).Letter
	if len(l.Attachments) != 1 || l.Attachments[0].Inline != "logo" || !strings.Contains(l.HTML, `src="cid:logo"`) {
		t.Errorf("%+v", l.Attachments)
	}
	if l = preview(t, notification.Sample{Template: notification.Templates()[0]}).Letter; len(l.Attachments) != 0 || strings.Contains(l.HTML, "cid:") {
		t.Errorf("%+v", l.Attachments)
	}
}
