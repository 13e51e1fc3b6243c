package cli

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
)

func TestNotifyPreview(t *testing.T) {
	t.Parallel()
	run(t, nil, "notify", "preview").want(0, "KIND", "confirmed", "mail, sms", "password_changed", "en, de, hi")
	run(t, nil, "notify", "preview", "--help").want(0, "--kind", "--invoice-soon", "json")
	run(t, nil, "notify", "preview", "--kind=confirmed").want(0, "Subject: Your order K7M2-4QXD is confirmed", "Hello Ada,", "Your invoice is attached.")
	run(t, nil, "notify", "preview", "--kind=confirmed", "--invoice-soon").want(0, "We will send invoice soon")
	run(t, nil, "notify", "preview", "--kind=shipped", "--channel=sms", "--language=de-AT").want(0, "Segments: 1", "ist unterwegs mit Sandbox Parcels")
	run(t, settings{"SHOP_NAME": "Ada's"}, "notify", "preview", "--kind=delivered", "--channel=sms", "--language=fi").
		want(0, "Ada's: Your order", "nothing is written in fi; this is en")

	page := run(t, nil, "notify", "preview", "--kind=confirmed", "--format=html", "--language=hi").want(0).out
	if !strings.HasPrefix(page, "<!doctype html>") || !strings.Contains(page, `<html lang="hi">`) || !strings.Contains(page, `src="data:image/png;base64,`) {
		t.Error(page)
	}
	var sent struct {
		Kind, Channel, Subject, Text, HTML string
		Inline                             []string
	}
	if err := json.Unmarshal([]byte(run(t, nil, "notify", "preview", "--kind=invoice", "--format=json").want(0).out), &sent); err != nil {
		t.Fatal(err)
	}
	if sent.Kind != "invoice" || sent.Channel != "MAIL" || sent.Subject == "" || sent.Text == "" || !strings.Contains(sent.HTML, "cid:logo") || len(sent.Inline) != 1 {
		t.Errorf("%+v", sent)
	}

	dir := filepath.Join(t.TempDir(), "all", "of", "them")
	run(t, nil, "notify", "preview", "--out="+dir, "--language=de").want(0, "confirmed.mail.de.txt")
	for channel, want := range map[string]int{"mail": 12, "sms": 5} {
		if files, _ := filepath.Glob(filepath.Join(dir, "*."+channel+".de.txt")); len(files) != want {
			t.Errorf("%d of %s: %v", len(files), channel, files)
		}
	}

	for args, says := range map[string]string{
		"--kind=advertisement":                       "there is no such mail; there are confirmed, invoice, failed",
		"--kind=refunded --channel=sms":              "there is no such sms; there are confirmed, failed",
		"--kind=confirmed --channel=pigeon":          "pigeon",
		"--kind=confirmed --language=english!":       "--language=english!",
		"--kind=shipped --channel=sms --format=html": "plain text",
		"--format=pdf":                               "pdf",
	} {
		run(t, nil, append([]string{"notify", "preview"}, strings.Fields(args)...)...).want(2, says)
	}
}
