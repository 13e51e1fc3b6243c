package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"golang.org/x/text/language"

	"ordergraph/services/notification"
)

type notifyCmd struct {
	Preview notifyPreviewCmd `cmd:"" help:"Show what customers are told, as it would be sent."`
}

type notifyPreviewCmd struct {
	Kind        string `placeholder:"KIND" help:"Which message, such as confirmed. Without it and --out: a list of those there are."`
	Channel     string `enum:",mail,sms" default:"" placeholder:"CHANNEL" help:"mail or sms. Without it: mail, or with --out both."`
	Language    string `default:"en" placeholder:"TAG" help:"The customer's language, a BCP 47 tag such as de-AT."`
	Format      string `enum:"text,html,json" default:"text" placeholder:"FORMAT" help:"text, html (only mails have it), or json (all of it, as it is sent)."`
	Out         string `type:"path" placeholder:"DIR" help:"Write to files in this folder instead, which is made; without --kind all messages."`
	InvoiceSoon bool   `name:"invoice-soon" help:"Show the confirmation that goes out before the invoice is ready."`

	ShopName  string `env:"SHOP_NAME" default:"Harbour Store" placeholder:"TEXT" help:"What the shop is called."`
	PublicURL string `name:"public-url" env:"PUBLIC_URL" default:"https://shop.example" placeholder:"URL" help:"Where links lead to."`
}

func (notifyPreviewCmd) Help() string {
	return "Shows messages with an order and a customer that are made up: no shop has to run, and nothing is sent."
}

func (c *notifyPreviewCmd) Run() error {
	if _, err := language.Parse(c.Language); err != nil {
		return usage("--language=%s is not a BCP 47 tag, such as en or de-AT", c.Language)
	}
	if c.Kind == "" && c.Out == "" {
		return listMessages(os.Stdout)
	}
	wanted, err := c.wanted()
	if err != nil {
		return err
	}
	if c.Out != "" {
		if err := os.MkdirAll(c.Out, 0o755); err != nil {
			return fmt.Errorf("--out: %w", err)
		}
	}
	for _, template := range wanted {
		text, err := c.write(template)
		if err != nil {
			return err
		}
		if c.Out == "" {
			_, err = io.WriteString(os.Stdout, text)
			return err
		}
		name := fmt.Sprintf("%s.%s.%s.%s", template.Kind, strings.ToLower(string(template.Channel)), c.Language, c.ending())
		if err := os.WriteFile(filepath.Join(c.Out, name), []byte(text), 0o644); err != nil { //nolint:gosec // samples are for everybody
			return fmt.Errorf("--out: %w", err)
		}
		fmt.Println(filepath.Join(c.Out, name))
	}
	return nil
}

// wanted are the messages that were asked for.
func (c *notifyPreviewCmd) wanted() ([]notification.Template, error) {
	channel := notification.Channel(strings.ToUpper(c.Channel))
	if c.Kind != "" && channel == "" {
		channel = notification.Mail
	}
	if c.Format == "html" {
		if channel == notification.SMS {
			return nil, usage("--format=html: short messages are plain text")
		}
		channel = notification.Mail
	}
	var all []notification.Template
	kinds := []string{}
	for _, t := range notification.Templates() {
		if (c.Kind == "" || t.Kind == notification.Kind(c.Kind)) && (channel == "" || t.Channel == channel) {
			all = append(all, t)
		}
		if channel == "" || t.Channel == channel {
			kinds = append(kinds, string(t.Kind))
		}
	}
	if all == nil {
		return nil, usage("--kind=%s: there is no such %s; there are %s", c.Kind, strings.ToLower(string(channel)), strings.Join(slices.Compact(kinds), ", "))
	}
	return all, nil
}

func (c *notifyPreviewCmd) ending() string {
	if c.Format == "text" {
		return "txt"
	}
	return c.Format
}

// write is one message in the format that was asked for.
func (c *notifyPreviewCmd) write(template notification.Template) (string, error) {
	logo := notification.Logo()
	shown, err := notification.Preview(notification.Sample{
		Template: template, Language: c.Language, InvoiceSoon: c.InvoiceSoon, ShopName: c.ShopName,
		PublicURL: strings.TrimSuffix(c.PublicURL, "/"), OrderPage: strings.TrimSuffix(c.PublicURL, "/") + orderPage, Logo: logo,
	})
	if err != nil {
		return "", err
	}
	if shown.Missing {
		fmt.Fprintf(os.Stderr, "ordergraph: nothing is written in %s; this is %s\n", c.Language, shown.Language)
	}
	switch {
	case c.Format == "json":
		text, err := json.MarshalIndent(asSent(template, shown), "", "  ")
		return string(text) + "\n", err
	case template.Channel == notification.SMS:
		return fmt.Sprintf("To: %s\nSegments: %d\n\n%s\n", shown.Text.To, shown.Segments, shown.Text.Body), nil
	case c.Format == "html": // a browser knows no Content-IDs
		return strings.ReplaceAll(shown.Letter.HTML, "cid:logo", "data:image/png;base64,"+base64.StdEncoding.EncodeToString(logo)), nil
	}
	return fmt.Sprintf("To: %s\nSubject: %s\n\n%s", shown.Letter.To, shown.Letter.Subject, shown.Letter.Text), nil
}

// sent is a message in JSON.
type sent struct {
	Kind     notification.Kind    `json:"kind"`
	Channel  notification.Channel `json:"channel"`
	Language string               `json:"language"`
	To       string               `json:"to"`
	Subject  string               `json:"subject,omitempty"`
	Text     string               `json:"text"`
	HTML     string               `json:"html,omitempty"`
	Inline   []string             `json:"inline,omitempty"` // Content-IDs of pictures
	Segments int                  `json:"segments,omitempty"`
}

func asSent(template notification.Template, shown notification.Shown) sent {
	s := sent{Kind: template.Kind, Channel: template.Channel, Language: shown.Language}
	if template.Channel == notification.SMS {
		s.To, s.Text, s.Segments = shown.Text.To, shown.Text.Body, shown.Segments
		return s
	}
	s.To, s.Subject, s.Text, s.HTML = shown.Letter.To, shown.Letter.Subject, shown.Letter.Text, shown.Letter.HTML
	for _, a := range shown.Letter.Attachments {
		s.Inline = append(s.Inline, a.Inline)
	}
	return s
}

func listMessages(to io.Writer) error {
	out := tabwriter.NewWriter(to, 0, 8, 2, ' ', 0)
	_, _ = fmt.Fprintln(out, "KIND\tCHANNELS\tLANGUAGES")
	channels := map[notification.Kind][]string{}
	var kinds []notification.Kind
	for _, t := range notification.Templates() {
		if channels[t.Kind] == nil {
			kinds = append(kinds, t.Kind)
		}
		channels[t.Kind] = append(channels[t.Kind], strings.ToLower(string(t.Channel)))
	}
	for _, kind := range kinds {
		_, _ = fmt.Fprintf(out, "%s\t%s\t%s\n", kind, strings.Join(channels[kind], ", "), strings.Join(notification.Languages(), ", "))
	}
	return out.Flush()
}
