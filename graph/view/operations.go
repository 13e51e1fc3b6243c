package view

import (
	"strings"
	"time"

	"ordergraph/platform/deadletter"
)

// DeadLetter shows what was given up.
type DeadLetter struct{ kept *deadletter.Letter }

// ID names it.
func (l DeadLetter) ID() string { return l.kept.ID }

// Service keeps it.
func (l DeadLetter) Service() string { return l.kept.Service }

// Kind is what it is, as the schema calls it.
func (l DeadLetter) Kind() string { return strings.ToUpper(string(l.kept.Kind)) }

// Type is what it says.
func (l DeadLetter) Type() string { return l.kept.Type }

// Key is what it is about.
func (l DeadLetter) Key() string { return l.kept.Key }

// Listener did not take it.
func (l DeadLetter) Listener() string { return l.kept.Listener }

// DeadAt is when it was given up.
func (l DeadLetter) DeadAt() time.Time { return l.kept.DeadAt }

// Attempts are the tries that failed.
func (l DeadLetter) Attempts() []DeadLetterAttempt {
	all := make([]DeadLetterAttempt, len(l.kept.Attempts))
	for i, a := range l.kept.Attempts {
		all[i] = DeadLetterAttempt(a)
	}
	return all
}

// DeadLetterAttempt is one try.
type DeadLetterAttempt struct {
	At      time.Time
	Outcome string
}

// DeadLetterConnection is a page of dead letters.
type DeadLetterConnection struct {
	Nodes       []DeadLetter
	PageInfo    PageInfo
	Unavailable []string // services
	cursors     []string
}

// NewDeadLetters shows a page; before tells whether it follows another.
func NewDeadLetters(page deadletter.Page, before bool) *DeadLetterConnection {
	c := &DeadLetterConnection{
		Nodes:       make([]DeadLetter, len(page.Letters)),
		PageInfo:    PageInfo{HasNextPage: page.HasMore, HasPreviousPage: before},
		Unavailable: append([]string{}, page.Missing...),
		cursors:     page.Cursors,
	}
	for i := range page.Letters {
		c.Nodes[i] = DeadLetter{&page.Letters[i]}
	}
	if n := len(c.cursors); n > 0 {
		c.PageInfo.StartCursor, c.PageInfo.EndCursor = &c.cursors[0], &c.cursors[n-1]
	}
	return c
}

// Edges are the dead letters with their cursors.
func (c *DeadLetterConnection) Edges() []DeadLetterEdge {
	edges := make([]DeadLetterEdge, len(c.Nodes))
	for i, node := range c.Nodes {
		edges[i] = DeadLetterEdge{Cursor: c.cursors[i], Node: node}
	}
	return edges
}

// DeadLetterEdge is a dead letter in a list.
type DeadLetterEdge struct {
	Cursor string
	Node   DeadLetter
}

// DeadLetterUserError is why nothing was done with a dead letter.
type DeadLetterUserError struct {
	Code    *string
	Field   []string
	Message string
}

// IsDisplayableError marks it.
func (DeadLetterUserError) IsDisplayableError() {}

// GetField is the path to the input at fault.
func (e DeadLetterUserError) GetField() []string { return e.Field }

// GetMessage is a sentence for people.
func (e DeadLetterUserError) GetMessage() string { return e.Message }
