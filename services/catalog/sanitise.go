package catalog

import (
	"html"
	"strings"

	"github.com/microcosm-cc/bluemonday"
)

// policy lets through what describes a product (text, lists, tables, pictures,
// links) and nothing that runs. Links tell search engines not to follow, and
// those that leave the shop open without a way back into its page.
var policy = func() *bluemonday.Policy {
	p := bluemonday.UGCPolicy()
	p.AllowURLSchemes("http", "https", "mailto", "tel")
	p.RequireNoFollowOnLinks(true)
	p.AddTargetBlankToFullyQualifiedLinks(true) // and rel=noopener
	return p
}()

// sanitise returns the part of a description that is safe to show.
func sanitise(body string) string {
	body = strings.TrimSpace(strings.ToValidUTF8(body, "\uFFFD"))
	if !strings.ContainsAny(body, "<>&\"'\x00") {
		return body
	}
	return strings.TrimSpace(policy.Sanitize(body))
}

// plainText is what a sanitised description says, without its markup.
func plainText(body string) string {
	if !strings.ContainsAny(body, "<&") {
		return body
	}
	var b strings.Builder
	b.Grow(len(body))
	for rest := body; rest != ""; {
		i := strings.IndexByte(rest, '<')
		if i < 0 {
			b.WriteString(rest)
			break
		}
		b.WriteString(rest[:i])
		b.WriteByte(' ')
		j := strings.IndexByte(rest[i:], '>')
		if j < 0 {
			break
		}
		rest = rest[i+j+1:]
	}
	return html.UnescapeString(b.String())
}
