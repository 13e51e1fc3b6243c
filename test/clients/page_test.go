package clients

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"ordergraph/graph"
	"ordergraph/test/shop"
)

const pagePath = "../../docs/frontend.md"

// pageURL is where the page's readers have their shop.
const pageURL = "http://127.0.0.1:8080"

// A snippet is a program of the page: a fenced block with a file name behind
// its language. What it prints stands in a block of text behind it, with the
// same name.
type snippet struct {
	name, text string
	prints     []string // lines, in this order, perhaps with others between; "…" is anything
}

// languages are those of blocks that are programs.
var languages = []string{"ts", "tsx", "js", "mjs", "typescript", "javascript", "sh", "bash", "shell", "graphql", "html"}

// snippets reads the page. A program without a name, and a program that
// neither prints something nor is used by another one, is a mistake: nobody
// would know whether it works.
func snippets(t *testing.T) []*snippet {
	t.Helper()
	text, err := os.ReadFile(pagePath)
	if err != nil {
		t.Fatal(err)
	}
	var all []*snippet
	var fence []string // language and name of the open block
	var body []string
	for n, line := range strings.Split(string(text), "\n") {
		info, isFence := strings.CutPrefix(line, "```")
		switch {
		case isFence && fence == nil:
			if fence = strings.Fields(info); len(fence) == 0 {
				fence = []string{""}
			}
		case isFence:
			switch {
			case slices.Contains(languages, fence[0]) && len(fence) < 2:
				t.Errorf("%s:%d: this program has no name: ```%s FILE", pagePath, n+1, fence[0])
			case fence[0] == "text" && len(fence) > 1:
				i := slices.IndexFunc(all, func(s *snippet) bool { return s.name == fence[1] })
				if i < 0 {
					t.Fatalf("%s:%d: there is no program %s above", pagePath, n+1, fence[1])
				}
				all[i].prints = body
			case len(fence) > 1:
				all = append(all, &snippet{name: fence[1], text: strings.Join(body, "\n") + "\n"})
			}
			fence, body = nil, nil
		case fence != nil:
			body = append(body, line)
		}
	}
	for _, s := range all {
		stem := strings.TrimSuffix(s.name, filepath.Ext(s.name))
		used := slices.ContainsFunc(all, func(other *snippet) bool {
			return other != s && (strings.Contains(other.text, s.name) || strings.Contains(other.text, "./"+stem+".js"))
		})
		if s.prints == nil && !used {
			t.Errorf("%s: nothing shows that %s works: say what it prints, in a block ```text %s", pagePath, s.name, s.name)
		}
	}
	return all
}

// page runs the programs of docs/frontend.md against the shop, the shell's
// first, and compares what they print with what the page says. What is in
// TypeScript must also satisfy its compiler.
func page(t *testing.T, s *shop.Shop) {
	all := snippets(t)
	if len(all) == 0 {
		t.Fatal("the page has no programs")
	}
	dir, err := os.MkdirTemp(".", "snippets-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	elsewhere := strings.NewReplacer(pageURL, s.URL, strings.Replace(pageURL, "http", "ws", 1), strings.Replace(s.URL, "http", "ws", 1))
	files := map[string]string{"tsconfig.json": `{"extends": "../tsconfig.json", "include": ["*.ts"]}`}
	for _, s := range all {
		files[s.name] = elsewhere.Replace(s.text)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := func(s *snippet, program string, args ...string) {
		t.Run(s.name, func(t *testing.T) {
			got := start(t, dir, []string{"NO_COLOR=1"}, program, args...).output()
			if missing := s.missing(got); missing != "" {
				t.Errorf("%s did not print what the page says, %q:\n%s", s.name, missing, got)
			}
		})
	}
	for _, s := range all {
		if strings.HasSuffix(s.name, ".sh") {
			run(s, "bash", "-eu", s.name)
		}
	}
	if !t.Run("types", func(t *testing.T) {
		start(t, dir, nil, "node", "../node_modules/typescript/bin/tsc", "--project", ".").output()
	}) {
		return
	}
	for _, s := range all {
		if stem, ok := strings.CutSuffix(s.name, ".ts"); ok && s.prints != nil {
			run(s, "node", "--import", "../browser.mjs", fmt.Sprintf("compiled/%s.js", stem))
		}
	}
}

// missing is the first line that was not printed, or "".
func (s *snippet) missing(printed string) string {
	lines := strings.Split(printed, "\n")
	for _, want := range s.prints {
		parts := strings.Split(want, "…")
		for i, part := range parts {
			parts[i] = regexp.QuoteMeta(part)
		}
		like := regexp.MustCompile("^" + strings.Join(parts, ".*") + `\s*$`)
		at := slices.IndexFunc(lines, like.MatchString)
		if at < 0 {
			return want
		}
		lines = lines[at+1:]
	}
	return ""
}

// The page's limits are the gateway's.
func TestLimits(t *testing.T) {
	text, err := os.ReadFile(pagePath)
	if err != nil {
		t.Fatal(err)
	}
	l := graph.DefaultLimits
	for what, value := range map[string]any{
		"bytes of a request, or of a message of a socket":                   l.Body,
		"time for one operation, or for the first answer of a subscription": l.Time,
		"words and signs of a document":                                     l.Tokens,
		"fields within fields":                                              l.Depth,
		"aliases":                                                           l.Aliases,
		"`first` or `last`":                                                 l.Page,
		"fields that an answer may have":                                    l.Complexity,
		"operations at a time on one connection":                            l.Streams,
		"open connections from one address":                                 l.PerAddress,
		"from opening a socket to `connection_init`":                        l.InitWithin,
		"for reading one message, before the connection is closed":          l.SendWithin,
		"between signs of life on a silent connection":                      l.KeepAlive,
	} {
		if row := fmt.Sprintf("| %s | %v |", what, value); !strings.Contains(string(text), row) {
			t.Errorf("%s does not say %q", pagePath, row)
		}
	}
}
