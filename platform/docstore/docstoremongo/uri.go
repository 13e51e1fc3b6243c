package docstoremongo

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/auth"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/topology"

	"ordergraph/platform/docstore"
	"ordergraph/platform/fault"
)

var (
	// ErrURI is a connection string that cannot be understood.
	ErrURI = fault.New(fault.Invalid, "docstore.uri", "This is not a MongoDB connection string. It looks like mongodb://user:password@host:27017/?replicaSet=name.")
	// ErrRefused is a server that does not let us in.
	ErrRefused = fault.New(fault.PermissionDenied, "docstore.refused", "The MongoDB server refused the user name or password, or this user may not read and write the database. Check both in the connection string, and authSource if the user is kept in another database than admin.")
)

var (
	credentials  = regexp.MustCompile(`^(mongodb(?:\+srv)?://)(.*)@`) // up to the last @
	secretOption = regexp.MustCompile(`(?i)((?:[a-z]*password|[a-z]*token|authMechanismProperties)=)[^&]*`)
)

// checkURI is nil if the driver understands the URI. The driver's complaints
// can quote what they are about, so it gets to see the URI without its secrets
// first: what it says of that one can be shown.
func checkURI(uri string) error {
	if !strings.HasPrefix(uri, "mongodb://") && !strings.HasPrefix(uri, "mongodb+srv://") {
		return fmt.Errorf("%w (it must begin with mongodb:// or mongodb+srv://)", ErrURI)
	}
	innocent := credentials.ReplaceAllString(uri, "${1}user:secret@")
	innocent = secretOption.ReplaceAllString(innocent, "${1}secret")
	err := options.Client().ApplyURI(innocent).Validate()
	if err != nil && strings.HasPrefix(uri, "mongodb+srv://") && strings.Contains(err.Error(), "lookup ") {
		return fmt.Errorf("%w (MongoDB: the name server does not know where the servers are: %v)", docstore.ErrUnavailable, err)
	}
	if err != nil {
		return fmt.Errorf("%w (%v)", ErrURI, err)
	}
	if err := options.Client().ApplyURI(uri).Validate(); err != nil {
		return fmt.Errorf("%w (the user name, the password or an option with a secret cannot be read:"+
			" each of the characters : / ? # [ ] @ %% in them is written as %% and two hexadecimal digits, @ as %%40)", ErrURI)
	}
	return nil
}

// withoutSecrets blots the URI's secrets out of a text that was made of it.
func withoutSecrets(uri, text string) string {
	var secrets []string
	if found := credentials.FindStringSubmatch(uri); found != nil {
		_, password, _ := strings.Cut(found[2], ":")
		secrets = append(secrets, found[2], password)
		if plain, err := url.PathUnescape(password); err == nil {
			secrets = append(secrets, plain)
		}
	}
	for _, found := range secretOption.FindAllStringSubmatch(uri, -1) {
		secrets = append(secrets, strings.TrimPrefix(found[0], found[1]))
	}
	for _, secret := range secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "***")
		}
	}
	return text
}

// explain says why Open failed and what to do about it.
func (s *Store) explain(ctx context.Context, uri string, err error) error {
	if ctx.Err() != nil && errors.Is(ctx.Err(), context.Canceled) {
		return fmt.Errorf("open the MongoDB store: %w", ctx.Err())
	}
	text := withoutSecrets(uri, err.Error())
	if refused(err) {
		return fmt.Errorf("%w (%s)", ErrRefused, text)
	}
	if selection, ok := errors.AsType[topology.ServerSelectionError](err); ok {
		var tried []string
		for _, server := range selection.Desc.Servers {
			why := "no answer"
			if server.LastError != nil {
				why = withoutSecrets(uri, server.LastError.Error())
			} else if server.Kind.String() != "Unknown" {
				why = "is a " + server.Kind.String() + ", not a primary"
			}
			tried = append(tried, fmt.Sprintf("%s: %s", server.Addr, why))
		}
		text = fmt.Sprintf("no server that takes writes within %v; %s. Is the server running, are host, port and replicaSet right, and does a firewall let us through?",
			s.connectWithin, strings.Join(tried, "; "))
	}
	return fmt.Errorf("%w (MongoDB: %s)", docstore.ErrUnavailable, text)
}

// refused reports whether the server knows us too little for what we asked.
func refused(err error) bool {
	if _, ok := errors.AsType[*auth.Error](err); ok {
		return true
	}
	const unauthorized, authenticationFailed = 13, 18
	var server mongo.ServerError
	return errors.As(err, &server) && (server.HasErrorCode(unauthorized) || server.HasErrorCode(authenticationFailed))
}
