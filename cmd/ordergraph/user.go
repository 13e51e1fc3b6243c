package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"golang.org/x/term"

	"ordergraph/platform/fault"
	"ordergraph/platform/host"
	"ordergraph/platform/identity"
	"ordergraph/services"
	"ordergraph/services/account"
	"ordergraph/services/account/accountrpc"
)

type userCmd struct {
	Create userCreateCmd `cmd:"" help:"Take somebody on, by a password; the first administrator too."`
	Roles  userRolesCmd  `cmd:"" help:"Say what somebody may do, which ends their sessions."`
	List   userListCmd   `cmd:"" help:"List who works here, or everybody."`
}

// accountsConfig is how a command reaches the accounts.
type accountsConfig struct {
	groundConfig
	accountConfig
}

type userCreateCmd struct {
	Email     string   `required:"" placeholder:"ADDRESS" help:"The address, which counts as confirmed."`
	Role      []string `required:"" placeholder:"ROLE" help:"What they may do: support, warehouse, merchant, admin, or customer for nothing special. Several with commas between."`
	FirstName string   `name:"first-name" placeholder:"TEXT" help:"The first name."`
	LastName  string   `name:"last-name" placeholder:"TEXT" help:"The last name."`
	Stdin     bool     `name:"password-stdin" help:"Read the password from the first line of standard input. Without it: ask for it on the terminal."`
	accountsConfig
}

func (userCreateCmd) Help() string {
	return "The password is never an argument, where others on this machine could see it. A running shop is used through GRPC_ADDR or ACCOUNT_ADDR; where none runs, the stores themselves."
}

func (c *userCreateCmd) Run(ctx context.Context) error {
	if err := c.check(); err != nil {
		return err
	}
	password, err := readPassword(ctx, os.Stdin, c.Stdin)
	if err != nil {
		return err
	}
	return c.with(ctx, func(accounts account.Service) error {
		made, err := accounts.CreateStaff(ctx, identity.Ourselves(), account.StaffInput{
			Email: c.Email, Password: password, FirstName: c.FirstName, LastName: c.LastName, Roles: rolesOf(c.Role),
		})
		if err != nil {
			return err
		}
		fmt.Printf("%s can sign in as %s.\n", made.Email, rolesText(made.Roles))
		return nil
	})
}

type userRolesCmd struct {
	Email string   `required:"" placeholder:"ADDRESS" help:"Whose."`
	Role  []string `required:"" placeholder:"ROLE" help:"What they may do from now on: support, warehouse, merchant, admin; customer takes everything away. Several with commas between."`
	accountsConfig
}

func (c *userRolesCmd) Run(ctx context.Context) error {
	if err := c.check(); err != nil {
		return err
	}
	return c.with(ctx, func(accounts account.Service) error {
		who, err := withEmail(ctx, accounts, c.Email)
		if err != nil {
			return err
		}
		changed, err := accounts.SetRoles(ctx, identity.Ourselves(), who.ID, rolesOf(c.Role))
		if err != nil {
			return err
		}
		fmt.Printf("%s is %s now.\n", changed.Email, rolesText(changed.Roles))
		return nil
	})
}

type userListCmd struct {
	All    bool   `help:"Customers too."`
	Prefix string `name:"email" placeholder:"TEXT" help:"Only addresses that begin like this."`
	accountsConfig
}

func (c *userListCmd) Run(ctx context.Context) error {
	if err := c.check(); err != nil {
		return err
	}
	return c.with(ctx, func(accounts account.Service) error {
		out := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)
		_, _ = fmt.Fprintln(out, "EMAIL\tROLES\tNAME\tSINCE")
		err := eachAccount(ctx, accounts, account.ListQuery{Email: c.Prefix, Staff: !c.All}, func(who account.Customer) bool {
			_, _ = fmt.Fprintf(out, "%s\t%s\t%s\t%s\n", who.Email, rolesText(who.Roles),
				strings.TrimSpace(who.FirstName+" "+who.LastName), who.CreatedAt.Format("2006-01-02"))
			return true
		})
		return errors.Join(err, out.Flush())
	})
}

func (c *accountsConfig) check() error {
	if err := c.groundConfig.check(); err != nil {
		return err
	}
	var wrong complaints
	c.accountConfig.check(&wrong)
	return wrong.err()
}

// with does something with the accounts of the shop that runs, or with those in
// the stores. What they find wrong with it is the operator's to mend.
func (c *accountsConfig) with(ctx context.Context, do func(account.Service) error) error {
	h, done, err := c.connect(ctx, []string{"account"}, func(ctx context.Context, h *host.Host, names []string) (func() error, error) {
		return c.workWith(ctx, h, names, services.AccountSettings{Issuer: "ordergraph", KeySecret: c.KeySecret, PasswordCost: c.PasswordCost})
	})
	if err != nil {
		return err
	}
	accounts, err := host.Use(h, accountrpc.Contract)
	if err == nil {
		err = do(accounts)
	}
	if e, ok := errors.AsType[*fault.Error](err); ok && e.Kind == fault.Invalid {
		err = usage("%s", e.Message)
	}
	return errors.Join(err, done())
}

// eachAccount reads accounts until do has seen enough.
func eachAccount(ctx context.Context, accounts account.Service, q account.ListQuery, do func(account.Customer) bool) error {
	for q.Limit = 100; ; {
		page, err := accounts.List(ctx, identity.Ourselves(), q)
		if err != nil {
			return err
		}
		for _, who := range page.Customers {
			if !do(who) {
				return nil
			}
		}
		if !page.HasMore || len(page.Cursors) == 0 {
			return nil
		}
		q.After = page.Cursors[len(page.Cursors)-1]
	}
}

func withEmail(ctx context.Context, accounts account.Service, email string) (found account.Customer, err error) {
	email = strings.TrimSpace(email)
	err = eachAccount(ctx, accounts, account.ListQuery{Email: email}, func(who account.Customer) bool {
		if strings.EqualFold(who.Email, email) {
			found = who
		}
		return found.ID == "" // the address itself is the first that begins like it
	})
	if err == nil && found.ID == "" {
		err = account.ErrNotFound
	}
	return found, err
}

func rolesOf(names []string) []identity.Role {
	roles := make([]identity.Role, len(names))
	for i, name := range names {
		roles[i] = identity.Role(strings.ToLower(strings.TrimSpace(name)))
	}
	return roles
}

func rolesText(roles []identity.Role) string {
	names := make([]string, len(roles))
	for i, r := range roles {
		names[i] = string(r)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// readPassword reads a password from a pipe, or asks for it twice on the
// terminal, where it does not show.
func readPassword(ctx context.Context, in *os.File, piped bool) (string, error) {
	if piped {
		line, err := bufio.NewReader(io.LimitReader(in, 4<<10)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("read the password: %w", err)
		}
		if line = strings.TrimRight(line, "\r\n"); line == "" {
			return "", usage("There is no password on standard input")
		}
		return line, nil
	}
	if !term.IsTerminal(int(in.Fd())) {
		return "", usage("There is no terminal to ask for the password on: give it on standard input, with --password-stdin")
	}
	first, err := prompt(ctx, in, "Password: ")
	if err != nil {
		return "", err
	}
	second, err := prompt(ctx, in, "Once more: ")
	if err != nil {
		return "", err
	}
	if first != second {
		return "", usage("These are two different passwords")
	}
	return first, nil
}

// prompt asks for one line. The terminal shows again what is typed when the
// operator presses Ctrl-C.
func prompt(ctx context.Context, in *os.File, question string) (string, error) {
	terminal := int(in.Fd())
	before, err := term.GetState(terminal)
	if err != nil {
		return "", fmt.Errorf("ask for the password: %w", err)
	}
	_, _ = fmt.Fprint(os.Stderr, question)
	defer func() { _, _ = fmt.Fprintln(os.Stderr) }()
	type answer struct {
		text []byte
		err  error
	}
	answered := make(chan answer, 1)
	go func() { // ends with the process if not before: a read cannot be called off
		text, err := term.ReadPassword(terminal)
		answered <- answer{text, err}
	}()
	select {
	case a := <-answered:
		if a.err != nil {
			return "", fmt.Errorf("ask for the password: %w", a.err)
		}
		return string(a.text), nil
	case <-ctx.Done():
		return "", errors.Join(ctx.Err(), term.Restore(terminal, before))
	}
}
