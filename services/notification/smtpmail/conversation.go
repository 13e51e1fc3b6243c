package smtpmail

import (
	"errors"
	"fmt"
	"net/textproto"
	"regexp"
	"time"
	"unicode/utf8"
)

// A step is one of those in which a mail is handed over.
type step string

const (
	sender    step = "MAIL"
	recipient step = "RCPT"
	data      step = "DATA"
	content   step = "content"
	end       step = "end of data"
)

// trouble is how a mail was not handed over.
type trouble struct {
	at       step
	code     int    // the provider's, from 400; 0: the connection broke, or what was said is not SMTP
	enhanced string // "5.1.1", where the provider speaks so (RFC 2034)
	err      error
}

func (t *trouble) Error() string { return fmt.Sprintf("%s: %v", t.at, t.err) }

func (t *trouble) Unwrap() error { return t.err }

// enhancedCode begins the text of an answer (RFC 2034, 4).
var enhancedCode = regexp.MustCompile(`^[245]\.\d{1,3}\.\d{1,3}\b`)

// at says what an answer that was not hoped for means.
func (l *line) at(s step, err error) *trouble {
	t := &trouble{at: s, err: err}
	if said, ok := errors.AsType[*textproto.Error](err); ok && said.Code >= 400 && said.Code < 600 {
		t.code = said.Code
		if l.enhanced {
			t.enhanced = enhancedCode.FindString(said.Msg)
		}
	}
	l.sound = l.sound && t.code != 0 && t.code != 421 // a server that closes
	return t
}

// hand hands one mail over. Whatever it answers is trouble.
//
// The mail itself goes out only when all that was said before it is answered,
// so that a provider which has not taken it in the end has not taken it at all.
func (l *line) hand(from, to string, mail []byte) *trouble {
	if err := l.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return l.at(sender, err)
	}
	first := "MAIL FROM:" + from
	if l.utf8 && !(isASCII(from) && isASCII(to)) {
		first += " SMTPUTF8"
	}
	steps := [...]struct {
		step
		command string
		hoped   int
	}{{sender, first, 250}, {recipient, "RCPT TO:" + to, 25}, {data, "DATA", 354}}

	if l.pipelines { // RFC 2920
		for _, s := range steps {
			l.say(s.command)
		}
	}
	var refused *trouble
	taking := false
	for _, s := range steps {
		if !l.pipelines {
			l.say(s.command)
		}
		if err := l.hear(s.hoped); err != nil {
			t := l.at(s.step, err)
			if refused == nil {
				refused = t
			}
			if !l.pipelines || !l.sound {
				break
			}
		} else {
			taking = s.step == data
		}
	}
	if refused != nil {
		l.begin(taking)
		return refused
	}

	written, err := l.text.W.Write(mail)
	if err == nil {
		err = l.text.W.Flush()
	}
	if err != nil && (written < len(mail) || l.text.W.Buffered() > 0) {
		return l.at(content, err) // its end was not sent
	}
	if err := l.hear(250); err != nil {
		return l.at(end, err)
	}
	return nil
}

// begin makes a line ready for another mail after one that was refused. A
// provider that waits for it all the same, which those may who hear of it in
// one go with its recipient, is told that there is none (RFC 2920, 3.1).
func (l *line) begin(taking bool) {
	if taking && l.sound {
		l.say(".")
		if err := l.hear(250); err != nil {
			_ = l.at(end, err)
		}
	}
	if l.sound {
		l.say("RSET")
		if err := l.hear(250); err != nil {
			l.sound = false
		}
	}
}

// say says a line, at the latest when an answer is waited for. What goes wrong
// is heard then.
func (l *line) say(command string) {
	_, _ = l.text.W.WriteString(command)
	_, _ = l.text.W.WriteString("\r\n")
}

// hear waits for an answer with a code, or one that begins so.
func (l *line) hear(code int) error {
	if err := l.text.W.Flush(); err != nil {
		return err
	}
	_, _, err := l.text.ReadResponse(code)
	return err
}

func isASCII(text string) bool {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
