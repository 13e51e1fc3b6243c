package accounttest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"ordergraph/platform/fault"
	"ordergraph/platform/identity"
	"ordergraph/services/account"
)

// Run holds a service to the contract. open gives the service of a new world,
// however it is reached.
func Run(t *testing.T, open func(t *testing.T, w *World) account.Service) {
	for name, test := range map[string]func(*testing.T, *World, account.Service){
		"from registering to signing out":            theWholeWay,
		"addresses cannot be found out":              addressesCannotBeFoundOut,
		"who reads the mail wins":                    whoReadsTheMailWins,
		"mail cannot be made to flood somebody":      mailIsLimited,
		"input that cannot be right":                 input,
		"passwords that anybody would try":           passwords,
		"links are good once and for a while":        links,
		"a new password ends sessions":               newPassword,
		"sessions end":                               sessionsEnd,
		"refresh tokens":                             refreshTokens,
		"guessing is slowed":                         guessing,
		"profile":                                    profiles,
		"addresses":                                  addresses,
		"who may do what":                            whoMayDoWhat,
		"staff":                                      staff,
		"lists are read page by page":                lists,
		"export and erase":                           privacy,
		"operators of a query language mean nothing": operators,
	} {
		t.Run(name, func(t *testing.T) {
			w := New(t)
			test(t, w, open(t, w))
		})
	}
}

var guest identity.Caller

func want(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func signIn(t *testing.T, s account.Service, email, password, source string) (account.Tokens, error) {
	t.Helper()
	return s.SignIn(t.Context(), guest, account.SignInInput{Email: email, Password: password, Source: source})
}

func theWholeWay(t *testing.T, w *World, s account.Service) {
	ctx := t.Context()
	w.Must(s.Register(ctx, guest, account.RegisterInput{
		Email: " Ada@Example.ORG ", Password: Password, FirstName: " Ada ", LastName: "Lovelace", Phone: "+4917012345678", Locale: "de-at", AcceptsMarketing: true,
	}))
	mail := w.Latest("ada@example.org", account.MailVerify)
	again, err := s.Mail(ctx, Ourselves, mail.ID)
	w.Must(err)
	if again != mail || mail.Email != "Ada@example.org" || mail.FirstName != "Ada" || mail.Locale != "de-AT" || mail.Token == "" || !mail.Expires.Equal(w.Clock.Now().Add(account.VerifyFor)) {
		t.Errorf("%+v, then %+v", mail, again)
	}
	_, err = signIn(t, s, "ada@example.org", Password, Home)
	want(t, "sign in before the address is verified", err, account.ErrCredentials)
	for range 2 {
		w.Must(s.Verify(ctx, guest, mail.Token))
	}
	got, err := s.SignIn(ctx, guest, account.SignInInput{Email: "ADA@example.org", Password: Password, Source: Home, Device: "Ada’s\nphone " + strings.Repeat("ü", 100)})
	w.Must(err)
	c := got.Customer
	if c.ID != mail.CustomerID || c.Email != "Ada@example.org" || !c.Verified || c.FirstName != "Ada" || c.LastName != "Lovelace" || c.Phone != "+4917012345678" ||
		c.Locale != "de-AT" || !c.AcceptsMarketing || c.MarketingChangedAt.IsZero() || !slices.Equal(c.Roles, []identity.Role{identity.Customer}) || c.Version < 2 {
		t.Errorf("%+v", c)
	}
	session, err := w.Verifier(s).Verify(ctx, got.Access)
	w.Must(err)
	if session.ID != got.SessionID || session.Caller.CustomerID != c.ID || !slices.Equal(session.Caller.Roles, c.Roles) ||
		!session.Expires.Equal(got.AccessExpires) || !session.Expires.Equal(w.Clock.Now().Add(account.AccessFor)) {
		t.Errorf("%+v of %+v", session, got)
	}
	if !got.RefreshExpires.Equal(w.Clock.Now().Add(account.IdleFor)) {
		t.Errorf("the refresh token expires at %v", got.RefreshExpires)
	}
	w.Clock.Pass(time.Hour)
	next, err := s.Refresh(ctx, guest, got.Refresh)
	w.Must(err)
	if next.SessionID != got.SessionID || next.Refresh == got.Refresh || next.Access == got.Access || !next.RefreshExpires.After(got.RefreshExpires) || next.Customer.ID != c.ID {
		t.Errorf("%+v after %+v", next, got)
	}
	list, err := s.Sessions(ctx, session.Caller, "")
	w.Must(err)
	if len(list) != 1 || list[0].ID != got.SessionID || !strings.HasPrefix(list[0].Device, "Ada’s phone ü") || len(list[0].Device) > 100 || !list[0].UsedAt.After(list[0].CreatedAt) {
		t.Errorf("%+v", list)
	}
	for range 2 {
		w.Must(s.SignOut(ctx, session.Caller, got.SessionID))
	}
	_, err = s.Refresh(ctx, guest, next.Refresh)
	want(t, "refresh after signing out", err, account.ErrRefresh)
}

func addressesCannotBeFoundOut(t *testing.T, w *World, s account.Service) {
	ctx := t.Context()
	w.Customer("ada@example.org")
	w.Must(s.Register(ctx, guest, account.RegisterInput{Email: "new@example.org", Password: Password}))
	// Registering answers nothing, whoever has the address.
	w.Must(s.Register(ctx, guest, account.RegisterInput{Email: "Ada@Example.org", Password: "nine purple kettles"}))
	if m := w.Latest("ada@example.org", account.MailAlreadyRegistered); m.Token != "" || m.Email == "" {
		t.Errorf("%+v", m)
	}
	_, err := signIn(t, s, "ada@example.org", "nine purple kettles", Home)
	want(t, "the password of who registered last", err, account.ErrCredentials)
	if _, err := signIn(t, s, "ada@example.org", Password, Home); err != nil {
		t.Errorf("the owner's password: %v", err)
	}
	for _, email := range []string{"ada@example.org", "new@example.org", "nobody@example.org"} {
		w.Must(s.RequestReset(ctx, guest, email))
		w.Must(s.RequestVerification(ctx, guest, email))
	}
	if got := w.Mails("nobody@example.org"); len(got) != 0 {
		t.Errorf("mail to nobody: %+v", got)
	}
	// A wrong password, an unverified address, an unknown one and one that
	// cannot be are told apart by nothing.
	var first *fault.Error
	for _, c := range []struct{ email, password string }{
		{"ada@example.org", "not the password"}, {"new@example.org", Password}, {"new@example.org", "not the password"},
		{"nobody@example.org", Password}, {"not an address", Password}, {"", ""}, {strings.Repeat("x", 1000), strings.Repeat("x", 1000)},
		{"ada@example.org", Password + strings.Repeat("x", 100)},
	} {
		_, err := signIn(t, s, c.email, c.password, Home)
		got := fault.Of(err)
		if first == nil {
			first = got
		}
		if !errors.Is(err, account.ErrCredentials) || !reflect.DeepEqual(got, first) {
			t.Errorf("%.20s: %v", c.email, err)
		}
	}
}

// Somebody who does not read an address's mail gets nothing by registering it,
// before or after its owner does.
func whoReadsTheMailWins(t *testing.T, w *World, s account.Service) {
	ctx := t.Context()
	register := func(password string) {
		w.Must(s.Register(ctx, guest, account.RegisterInput{Email: "ada@example.org", Password: password}))
	}
	register("eve was here before")
	register(Password)
	mine := w.Latest("ada@example.org", account.MailVerify)
	register("eve was here after")
	eves := w.Latest("ada@example.org", account.MailVerify)
	// Asked for once more, the link cannot know who is meant.
	w.Must(s.RequestVerification(ctx, guest, "ada@example.org"))
	reset := w.Latest("ada@example.org", account.MailReset)
	if reset.Token == "" {
		t.Error("no link")
	}
	w.Must(s.Verify(ctx, guest, mine.Token))
	if _, err := signIn(t, s, "ada@example.org", Password, Home); err != nil {
		t.Errorf("the password of who verified: %v", err)
	}
	want(t, "a link of another registration", s.Verify(ctx, guest, eves.Token), account.ErrLink)
	want(t, "a link of before", s.Reset(ctx, guest, account.ResetInput{Token: reset.Token, Password: "eve was here at last"}), account.ErrLink)

	w.Must(s.Register(ctx, guest, account.RegisterInput{Email: "once@example.org", Password: Password}))
	w.Clock.Pass(time.Hour)
	w.Must(s.RequestVerification(ctx, guest, "once@example.org"))
	w.Clock.Pass(account.VerifyFor - time.Minute)
	w.Must(s.Verify(ctx, guest, w.Latest("once@example.org", account.MailVerify).Token))
	if _, err := signIn(t, s, "once@example.org", Password, Home); err != nil {
		t.Error(err)
	}
}

func mailIsLimited(t *testing.T, w *World, s account.Service) {
	ctx := t.Context()
	w.Customer("ada@example.org")
	for range 20 {
		w.Must(s.RequestReset(ctx, guest, "ada@example.org"))
		w.Must(s.Register(ctx, guest, account.RegisterInput{Email: "ada@example.org", Password: Password}))
	}
	kinds := map[account.MailKind]int{}
	for _, m := range w.Mails("ada@example.org") {
		kinds[m.Kind]++
	}
	if len(kinds) != 2 || kinds[account.MailReset] != 3 || kinds[account.MailAlreadyRegistered] != 3 {
		t.Errorf("in an hour: %v", kinds)
	}
	w.Clock.Pass(time.Hour)
	w.Must(s.RequestReset(ctx, guest, "ada@example.org"))
	w.Latest("ada@example.org", account.MailReset)
}

func input(t *testing.T, w *World, s account.Service) {
	ctx := t.Context()
	ada := w.Customer("ada@example.org")
	line := strings.Repeat("x", 256)
	register := func(change func(*account.RegisterInput)) error {
		in := account.RegisterInput{Email: "new@example.org", Password: Password}
		change(&in)
		return s.Register(ctx, guest, in)
	}
	update := func(change func(*account.UpdateInput)) error {
		var in account.UpdateInput
		change(&in)
		_, err := s.Update(ctx, ada, in)
		return err
	}
	address := func(change func(*account.Address)) error {
		in := account.Address{LastName: "Lovelace", Address1: "Hafenstrasse 1", City: "Hamburg", Country: "DE"}
		change(&in)
		_, err := s.PutAddress(ctx, ada, account.AddressInput{Address: in})
		return err
	}
	staff := func(change func(*account.StaffInput)) error {
		in := account.StaffInput{Email: "s@shop.example", Password: Password, Roles: []identity.Role{identity.Support}}
		change(&in)
		_, err := s.CreateStaff(ctx, Ourselves, in)
		return err
	}
	for _, email := range []string{"", "ada", "ada@localhost", "Ada <ada@example.org>", "ada@example.org\r\nBcc: eve@example.org", strings.Repeat("a", 65) + "@example.org", "a@" + strings.Repeat("x.", 130) + "org", `{"$gt":""}`, "a b@example.org"} {
		err := register(func(in *account.RegisterInput) { in.Email = email })
		if !errors.Is(err, account.ErrInput) || fault.Of(err).Details["field"] != "email" {
			t.Errorf("%q: %v", email, err)
		}
		want(t, email, s.RequestReset(ctx, guest, email), account.ErrInput)
	}
	for name, c := range map[string]struct {
		err   error
		field string
	}{
		"name":           {register(func(in *account.RegisterInput) { in.FirstName = line }), "firstName"},
		"two lines":      {register(func(in *account.RegisterInput) { in.LastName = "a\nb" }), "lastName"},
		"phone":          {register(func(in *account.RegisterInput) { in.Phone = "0170 1234567" }), "phone"},
		"locale":         {register(func(in *account.RegisterInput) { in.Locale = "not a language" }), "locale"},
		"update name":    {update(func(in *account.UpdateInput) { in.FirstName = &line }), "firstName"},
		"update phone":   {update(func(in *account.UpdateInput) { in.Phone = &line }), "phone"},
		"address line":   {address(func(a *account.Address) { a.Address2 = line }), "address.address2"},
		"no name":        {address(func(a *account.Address) { a.LastName = " " }), "address.lastName"},
		"no street":      {address(func(a *account.Address) { a.Address1 = "" }), "address.address1"},
		"no city":        {address(func(a *account.Address) { a.City = "" }), "address.city"},
		"country":        {address(func(a *account.Address) { a.Country = "UK" }), "address.country"},
		"no country":     {address(func(a *account.Address) { a.Country = "" }), "address.country"},
		"continent":      {address(func(a *account.Address) { a.Country = "150" }), "address.country"},
		"province":       {address(func(a *account.Address) { a.Province = "Bavaria" }), "address.province"},
		"address phone":  {address(func(a *account.Address) { a.Phone = "1" }), "address.phone"},
		"no roles":       {staff(func(in *account.StaffInput) { in.Roles = nil }), "roles"},
		"unknown role":   {staff(func(in *account.StaffInput) { in.Roles = []identity.Role{"root"} }), "roles"},
		"the program":    {staff(func(in *account.StaffInput) { in.Roles = []identity.Role{identity.System} }), "roles"},
		"staff's email":  {staff(func(in *account.StaffInput) { in.Email = "s" }), "email"},
		"staff's locale": {staff(func(in *account.StaffInput) { in.Locale = "x" }), "locale"},
	} {
		got := fault.Of(c.err)
		if !errors.Is(c.err, account.ErrInput) || got.Details["field"] != c.field || got.Message == account.ErrInput.Message {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if got := w.Mails("new@example.org"); len(got) != 0 {
		t.Errorf("input that cannot be right caused %+v", got)
	}
	_, err := s.List(ctx, Ourselves, account.ListQuery{Limit: 101})
	want(t, "a long page", err, account.ErrInput)
	_, err = s.List(ctx, Ourselves, account.ListQuery{After: "garbage"})
	want(t, "garbage for a cursor", err, account.ErrCursor)
	_, err = s.EndedSessions(ctx, Ourselves, make([]string, account.MaxSessionIDs+1))
	want(t, "too many sessions", err, account.ErrInput)
}

func passwords(t *testing.T, w *World, s account.Service) {
	ctx := t.Context()
	for password, reason := range map[string]string{
		"":                         "at least 8 characters",
		"kx7#ü-q":                  "at least 8 characters",
		strings.Repeat("kx7#", 19): "72 bytes, and this one has 76",
		strings.Repeat("字ü", 15):   "72 bytes, and this one has 75",
		"a\x00b7#xk2!q":            "not text",
		"password":                 "first that others would try",
		"P@ssw0rd2024!":            "first that others would try",
		"12345678":                 "first that others would try",
		"aaaaaaaa":                 "first that others would try",
		"qwertyuiop":               "first that others would try",
		"1qaz2wsx3edc":             "first that others would try",
		"Schatzi123":               "first that others would try",
		"abababab":                 "first that others would try",
		"iloveyou!!":               "first that others would try",
		"Summer2026":               "first that others would try",
		"19840521":                 "first that others would try",
		"m1chelle99":               "first that others would try",
		"dragonfire7":              "first that others would try",
		"zzebulona@":               "name or your e-mail",
		"zebulon1x":                "name or your e-mail",
		"Quillfeather1":            "name or your e-mail",
	} {
		err := s.Register(ctx, guest, account.RegisterInput{Email: "zebulon@example.org", Password: password, LastName: "Quillfeather"})
		if !errors.Is(err, account.ErrPassword) || !strings.Contains(fault.Of(err).Message, reason) || fault.Of(err).Details["field"] != "password" {
			t.Errorf("%q: %v", password, err)
		}
		if password != "" && password != "password" && strings.Contains(fmt.Sprint(err), password) {
			t.Errorf("the answer repeats %q", password)
		}
	}
	for i, password := range []string{
		Password, "kx7#q2!pv", "correct horse battery staple", "字字üö漢字かな", "4839 2017 5561 8820", strings.Repeat("k7#xq2!p", 9), "tr0ub4dor&3x", "83920174dog5528103",
	} {
		email := fmt.Sprintf("zebulon%d@example.org", i)
		if err := s.Register(ctx, guest, account.RegisterInput{Email: email, Password: password}); err != nil {
			t.Errorf("%q: %v", password, err)
			continue
		}
		w.Must(s.Verify(ctx, guest, w.Latest(email, account.MailVerify).Token))
		if _, err := signIn(t, s, email, password, Home); err != nil {
			t.Errorf("%q: %v", password, err)
		}
		if len(password) == account.MaxPassword {
			_, err := signIn(t, s, email, password+"!", Home)
			want(t, "a password of which bcrypt would read the right part", err, account.ErrCredentials)
		}
	}
	// One letter, written in two ways by two keyboards.
	w.Must(s.Register(ctx, guest, account.RegisterInput{Email: "uwe@example.org", Password: "k7#x u\u0308ber q2"}))
	w.Must(s.Verify(ctx, guest, w.Latest("uwe@example.org", account.MailVerify).Token))
	if _, err := signIn(t, s, "uwe@example.org", "k7#x \u00fcber q2", Home); err != nil {
		t.Error(err)
	}
}

func links(t *testing.T, w *World, s account.Service) {
	ctx := t.Context()
	ada, eve := w.Customer("ada@example.org"), w.Customer("eve@example.org")
	_ = eve
	set := func(token string) error {
		return s.Reset(ctx, guest, account.ResetInput{Token: token, Password: "nine purple kettles", Source: Home})
	}
	w.Must(s.RequestReset(ctx, guest, "ada@example.org"))
	w.Must(s.RequestReset(ctx, guest, "eve@example.org"))
	adas, eves := w.Latest("ada@example.org", account.MailReset), w.Latest("eve@example.org", account.MailReset)
	if adas.CustomerID != ada.CustomerID || !adas.Expires.Equal(w.Clock.Now().Add(account.ResetFor)) {
		t.Errorf("%+v", adas)
	}
	first, rest, _ := strings.Cut(adas.Token, ".")
	_, evesRest, _ := strings.Cut(eves.Token, ".")
	for _, guess := range []string{
		"", ".", "x", first, first + ".", first + "." + evesRest, first[1:] + "." + rest, adas.Token + "x", adas.Token + "=", strings.ToLower(adas.Token),
		strings.Repeat("A", len(first)) + "." + rest, strings.Repeat("x", 10_000), adas.ID, "{\"$ne\":null}." + rest,
	} {
		want(t, "a made-up link", set(guess), account.ErrLink)
		want(t, "a made-up link", s.Verify(ctx, guest, guess), account.ErrLink)
	}
	want(t, "a link for something else", s.Verify(ctx, guest, adas.Token), account.ErrLink)
	want(t, "a bad password", s.Reset(ctx, guest, account.ResetInput{Token: adas.Token, Password: "password"}), account.ErrPassword)
	w.Must(set(adas.Token))
	want(t, "a link for the second time", set(adas.Token), account.ErrLink)
	w.Clock.Pass(account.ResetFor)
	want(t, "an old link", set(eves.Token), account.ErrLink)
	_, err := s.Mail(ctx, Ourselves, eves.ID)
	want(t, "an old mail", err, account.ErrNoMail)
	if _, err := signIn(t, s, "eve@example.org", Password, Home); err != nil {
		t.Errorf("nothing has changed for eve: %v", err)
	}

	w.Must(s.Register(ctx, guest, account.RegisterInput{Email: "new@example.org", Password: Password}))
	late := w.Latest("new@example.org", account.MailVerify)
	w.Clock.Pass(account.VerifyFor)
	want(t, "a late verification", s.Verify(ctx, guest, late.Token), account.ErrLink)
	// The reset verifies the address as well.
	w.Must(s.RequestReset(ctx, guest, "new@example.org"))
	w.Must(set(w.Latest("new@example.org", account.MailReset).Token))
	if _, err := signIn(t, s, "new@example.org", "nine purple kettles", Home); err != nil {
		t.Error(err)
	}
}

func newPassword(t *testing.T, w *World, s account.Service) {
	ctx := t.Context()
	ada := w.Customer("ada@example.org")
	here, there := w.Enter(s, "ada@example.org"), w.Enter(s, "ada@example.org")
	change := account.ChangePasswordInput{Current: "not the password", Password: "nine purple kettles", SessionID: here.SessionID, Source: Home}
	want(t, "a wrong password", s.ChangePassword(ctx, ada, change), account.ErrCredentials)
	change.Current, change.Password = Password, "password"
	want(t, "a bad password", s.ChangePassword(ctx, ada, change), account.ErrPassword)
	want(t, "a guest", s.ChangePassword(ctx, guest, change), account.ErrSignIn)
	change.Password = "nine purple kettles"
	w.Must(s.ChangePassword(ctx, ada, change))
	w.Latest("ada@example.org", account.MailPasswordChanged)
	ended, err := s.EndedSessions(ctx, Ourselves, []string{here.SessionID, there.SessionID})
	w.Must(err)
	if !slices.Equal(ended, []string{there.SessionID}) {
		t.Errorf("ended: %v", ended)
	}
	_, err = s.Refresh(ctx, guest, there.Refresh)
	want(t, "refresh elsewhere", err, account.ErrRefresh)
	here, err = s.Refresh(ctx, guest, here.Refresh)
	w.Must(err)
	_, err = signIn(t, s, "ada@example.org", Password, Home)
	want(t, "the old password", err, account.ErrCredentials)
	w.Must(s.RequestReset(ctx, guest, "ada@example.org"))
	w.Must(s.Reset(ctx, guest, account.ResetInput{Token: w.Latest("ada@example.org", account.MailReset).Token, Password: "ten yellow saucers"}))
	_, err = s.Refresh(ctx, guest, here.Refresh)
	want(t, "refresh after a reset", err, account.ErrRefresh)
	if _, err := signIn(t, s, "ada@example.org", "ten yellow saucers", Home); err != nil {
		t.Error(err)
	}
}

func sessionsEnd(t *testing.T, w *World, s account.Service) {
	ctx := t.Context()
	ada, eve := w.Customer("ada@example.org"), w.Customer("eve@example.org")
	one, two, eves := w.Enter(s, "ada@example.org"), w.Enter(s, "ada@example.org"), w.Enter(s, "eve@example.org")
	ended := func(ids ...string) []string {
		got, err := s.EndedSessions(ctx, Ourselves, ids)
		w.Must(err)
		return got
	}
	w.Must(s.SignOut(ctx, eve, one.SessionID)) // not hers: nothing happens
	want(t, "a guest signs out", s.SignOut(ctx, guest, one.SessionID), account.ErrSignIn)
	if got := ended(one.SessionID, two.SessionID, eves.SessionID); len(got) != 0 {
		t.Errorf("ended: %v", got)
	}
	w.Must(s.SignOut(ctx, ada, one.SessionID))
	if got := ended(one.SessionID, two.SessionID, "unheard-of"); !slices.Equal(got, []string{one.SessionID, "unheard-of"}) {
		t.Errorf("ended: %v", got)
	}
	three := w.Enter(s, "ada@example.org")
	w.Must(s.SignOutEverywhere(ctx, ada, ""))
	if got := ended(two.SessionID, three.SessionID, eves.SessionID); !slices.Equal(got, []string{two.SessionID, three.SessionID}) {
		t.Errorf("ended: %v", got)
	}
	list, err := s.Sessions(ctx, ada, "")
	w.Must(err)
	if len(list) != 0 {
		t.Errorf("%+v", list)
	}
	// A session that is not used ends, and one that is used ends later.
	w.Clock.Pass(account.IdleFor - time.Minute)
	eves, err = s.Refresh(ctx, guest, eves.Refresh)
	w.Must(err)
	w.Clock.Pass(account.IdleFor)
	_, err = s.Refresh(ctx, guest, eves.Refresh)
	want(t, "an idle session", err, account.ErrRefresh)
	if got := ended(eves.SessionID); len(got) != 1 {
		t.Error("an idle session goes on")
	}
	eves = w.Enter(s, "eve@example.org")
	began := w.Clock.Now()
	for w.Clock.Now().Before(began.Add(account.SessionFor)) {
		if eves.RefreshExpires.After(began.Add(account.SessionFor)) || eves.AccessExpires.After(eves.RefreshExpires) {
			t.Fatalf("%v, %v: longer than a session lives", eves.RefreshExpires, eves.AccessExpires)
		}
		if eves, err = s.Refresh(ctx, guest, eves.Refresh); err != nil {
			t.Fatal(err)
		}
		w.Clock.Pass(account.IdleFor - time.Minute)
	}
	_, err = s.Refresh(ctx, guest, eves.Refresh)
	want(t, "a session that is too old", err, account.ErrRefresh)
	// Many sessions: the oldest make room.
	var last account.Tokens
	first := w.Enter(s, "ada@example.org")
	for range account.MaxSessions {
		w.Clock.Pass(time.Second)
		last = w.Enter(s, "ada@example.org")
	}
	if got := ended(first.SessionID, last.SessionID); !slices.Equal(got, []string{first.SessionID}) {
		t.Errorf("ended: %v", got)
	}
}

func refreshTokens(t *testing.T, w *World, s account.Service) {
	ctx := t.Context()
	w.Customer("ada@example.org")
	refresh := func(token string) (account.Tokens, error) { return s.Refresh(ctx, guest, token) }
	first := w.Enter(s, "ada@example.org")
	second, err := refresh(first.Refresh)
	w.Must(err)
	// The answer may have got lost.
	w.Clock.Pass(account.RefreshGrace)
	again, err := refresh(first.Refresh)
	w.Must(err)
	if again.Refresh != second.Refresh || again.SessionID != second.SessionID {
		t.Error("within the grace another successor")
	}
	third, err := refresh(second.Refresh)
	w.Must(err)
	// Guesses, even by who knows the session's id, end nothing.
	id, secret, _ := strings.Cut(third.Refresh, ".")
	other := w.Enter(s, "ada@example.org")
	_, otherSecret, _ := strings.Cut(other.Refresh, ".")
	for _, guess := range []string{
		"", ".", id, id + ".", "." + secret, id + "." + strings.Repeat("A", len(secret)), id + "." + otherSecret, id + "." + secret[1:] + "A",
		other.SessionID + "." + secret, third.Refresh + "=", strings.Repeat("x", 10_000), third.Access, `{"$gt":""}.` + secret,
	} {
		_, err := refresh(guess)
		want(t, "a guess", err, account.ErrRefresh)
	}
	if _, err := refresh(other.Refresh); err != nil {
		t.Errorf("after guesses: %v", err)
	}
	fourth, err := refresh(third.Refresh)
	w.Must(err)
	// A token that was used long ago means that two parties have the session.
	_, err = refresh(first.Refresh)
	want(t, "a used token", err, account.ErrRefresh)
	_, err = refresh(fourth.Refresh)
	want(t, "the good token of a session that somebody else has too", err, account.ErrRefresh)
	ended, err := s.EndedSessions(ctx, Ourselves, []string{first.SessionID, other.SessionID})
	w.Must(err)
	if !slices.Equal(ended, []string{first.SessionID}) {
		t.Errorf("ended: %v", ended)
	}
	// The same for the token before, once the grace is over.
	other = w.Enter(s, "ada@example.org")
	next, err := refresh(other.Refresh)
	w.Must(err)
	w.Clock.Pass(account.RefreshGrace + time.Millisecond)
	_, err = refresh(other.Refresh)
	want(t, "a used token after the grace", err, account.ErrRefresh)
	_, err = refresh(next.Refresh)
	want(t, "its successor", err, account.ErrRefresh)
}

func guessing(t *testing.T, w *World, s account.Service) {
	w.Customer("ada@example.org")
	w.Enter(s, "ada@example.org") // from home
	for _, email := range []string{"ada@example.org", "nobody@example.org"} {
		for range 5 {
			_, err := signIn(t, s, email, "not the password", Abroad)
			want(t, "a wrong password", err, account.ErrCredentials)
		}
		wait := 1
		for range 3 { // each failure doubles the wait, and waiting costs no attempt
			for range 3 {
				_, err := signIn(t, s, email, Password, "203.0.113.99") // the same network
				if !errors.Is(err, account.ErrSlowed) || fault.Of(err).Details["retryAfter"] != strconv.Itoa(wait) {
					t.Errorf("%s: %v %v, want to wait %d s", email, err, fault.Of(err).Details, wait)
				}
			}
			w.Clock.Pass(time.Duration(wait) * time.Second)
			_, err := signIn(t, s, email, "not the password", Abroad)
			want(t, "after waiting", err, account.ErrCredentials)
			wait *= 2
		}
	}
	// Whoever guesses from elsewhere does not keep the owner out, and capitals
	// do not help.
	_, err := signIn(t, s, "ADA@example.org", Password, Abroad)
	want(t, "in capitals", err, account.ErrSlowed)
	w.Enter(s, "ada@example.org")
	// Many networks are counted together; home is not one of them.
	for i := range 40 {
		_, err = signIn(t, s, "ada@example.org", "not the password", fmt.Sprintf("2001:db8:%x::1", i))
	}
	want(t, "many networks", err, account.ErrSlowed)
	w.Enter(s, "ada@example.org")
	_, err = signIn(t, s, "ada@example.org", Password, "198.51.100.7")
	want(t, "the owner elsewhere", err, account.ErrSlowed)
	// The owner elsewhere comes in by mail, and is known there from then on.
	ctx := t.Context()
	w.Must(s.RequestReset(ctx, guest, "ada@example.org"))
	w.Must(s.Reset(ctx, guest, account.ResetInput{Token: w.Latest("ada@example.org", account.MailReset).Token, Password: "nine purple kettles", Source: "198.51.100.8"}))
	if _, err := signIn(t, s, "ada@example.org", "nine purple kettles", "198.51.100.7"); err != nil {
		t.Error(err)
	}
	// After a quiet day everything is forgotten.
	w.Clock.Pass(24 * time.Hour)
	if _, err := signIn(t, s, "ada@example.org", "nine purple kettles", Abroad); err != nil {
		t.Error(err)
	}
}

func profiles(t *testing.T, w *World, s account.Service) {
	ctx := t.Context()
	ada := w.Customer("ada@example.org")
	before, err := s.Get(ctx, ada, "")
	w.Must(err)
	w.Clock.Pass(time.Minute)
	name, phone, locale, yes, none := " Augusta ", "+4917012345678", "fr", true, ""
	got, err := s.Update(ctx, ada, account.UpdateInput{FirstName: &name, Phone: &phone, Locale: &locale, AcceptsMarketing: &yes})
	w.Must(err)
	if got.FirstName != "Augusta" || got.LastName != "Lovelace" || got.Phone != phone || got.Locale != "fr" || !got.AcceptsMarketing ||
		!got.MarketingChangedAt.Equal(w.Clock.Now()) || got.Version <= before.Version || !got.UpdatedAt.Equal(w.Clock.Now()) {
		t.Errorf("%+v", got)
	}
	w.Clock.Pass(time.Minute)
	same, err := s.Update(ctx, ada, account.UpdateInput{AcceptsMarketing: &yes})
	w.Must(err)
	if !reflect.DeepEqual(same, got) {
		t.Errorf("nothing was changed, and %+v became %+v", got, same)
	}
	got, err = s.Update(ctx, ada, account.UpdateInput{Phone: &none})
	w.Must(err)
	again, err := s.Get(ctx, ada, ada.CustomerID)
	w.Must(err)
	if got.Phone != "" || !reflect.DeepEqual(got, again) {
		t.Errorf("%+v, then %+v", got, again)
	}
}

func addresses(t *testing.T, w *World, s account.Service) {
	ctx := t.Context()
	ada, eve := w.Customer("ada@example.org"), w.Customer("eve@example.org")
	put := func(in account.AddressInput) account.Customer {
		t.Helper()
		c, err := s.PutAddress(ctx, ada, in)
		w.Must(err)
		return c
	}
	harbour := account.Address{FirstName: "Ada", LastName: " Lovelace ", Address1: "Hafenstrasse 1", City: "Hamburg", Province: "de-hh", Zip: "20359", Country: "de", Phone: "+4917012345678"}
	c := put(account.AddressInput{Address: harbour})
	first := c.Addresses[0]
	if first.ID == "" || first.LastName != "Lovelace" || first.Country != "DE" || first.Province != "HH" || c.DefaultAddressID != first.ID {
		t.Errorf("%+v", c)
	}
	c = put(account.AddressInput{Address: harbour})
	second := c.Addresses[1]
	if second.ID == first.ID || c.DefaultAddressID != first.ID {
		t.Errorf("%+v", c)
	}
	second.City = "Berlin"
	c = put(account.AddressInput{Address: second, Default: true})
	if len(c.Addresses) != 2 || c.Addresses[1].City != "Berlin" || c.DefaultAddressID != second.ID {
		t.Errorf("%+v", c)
	}
	_, err := s.PutAddress(ctx, eve, account.AddressInput{Address: first})
	want(t, "somebody else's address", err, account.ErrNoAddress)
	_, err = s.SetDefaultAddress(ctx, ada, "", "unheard-of")
	want(t, "an unknown address", err, account.ErrNoAddress)
	c, err = s.SetDefaultAddress(ctx, ada, "", first.ID)
	w.Must(err)
	if c.DefaultAddressID != first.ID {
		t.Errorf("%+v", c)
	}
	for range 2 {
		c, err = s.RemoveAddress(ctx, ada, "", first.ID)
		w.Must(err)
	}
	if len(c.Addresses) != 1 || c.DefaultAddressID != second.ID {
		t.Errorf("%+v", c)
	}
	for range account.MaxAddresses - 1 {
		put(account.AddressInput{Address: harbour})
	}
	_, err = s.PutAddress(ctx, ada, account.AddressInput{Address: harbour})
	want(t, "one more", err, account.ErrTooMany)
}

func whoMayDoWhat(t *testing.T, w *World, s account.Service) {
	ctx := t.Context()
	ada, eve := w.Customer("ada@example.org"), w.Customer("eve@example.org")
	callers := map[string]identity.Caller{
		"guest": guest, "owner": ada, "other": eve, "support": w.Staff(identity.Support), "warehouse": w.Staff(identity.Warehouse),
		"merchant": w.Staff(identity.Merchant), "admin": w.Staff(identity.Admin), "program": Ourselves,
		"only the role": {Roles: []identity.Role{identity.Customer}},
	}
	boss := callers["admin"].CustomerID
	name := "x"
	calls := map[string]func(identity.Caller) error{
		"Get":               func(c identity.Caller) error { _, err := s.Get(ctx, c, ada.CustomerID); return err },
		"Sessions":          func(c identity.Caller) error { _, err := s.Sessions(ctx, c, ada.CustomerID); return err },
		"Export":            func(c identity.Caller) error { _, err := s.Export(ctx, c, ada.CustomerID); return err },
		"SignOutEverywhere": func(c identity.Caller) error { return s.SignOutEverywhere(ctx, c, ada.CustomerID) },
		"Update": func(c identity.Caller) error {
			_, err := s.Update(ctx, c, account.UpdateInput{CustomerID: ada.CustomerID, LastName: &name})
			return err
		},
		"RemoveAddress": func(c identity.Caller) error { _, err := s.RemoveAddress(ctx, c, ada.CustomerID, "x"); return err },
		"PutAddress": func(c identity.Caller) error {
			_, err := s.PutAddress(ctx, c, account.AddressInput{CustomerID: ada.CustomerID, Address: account.Address{ID: "x", LastName: "x", Address1: "x", City: "x", Country: "DE"}})
			return ignore(err, account.ErrNoAddress)
		},
		"SetDefaultAddress": func(c identity.Caller) error {
			_, err := s.SetDefaultAddress(ctx, c, ada.CustomerID, "x")
			return ignore(err, account.ErrNoAddress)
		},
		"List": func(c identity.Caller) error { _, err := s.List(ctx, c, account.ListQuery{}); return err },
		"Update admin": func(c identity.Caller) error {
			_, err := s.Update(ctx, c, account.UpdateInput{CustomerID: boss, LastName: &name})
			return err
		},
		"CreateStaff": func(c identity.Caller) error {
			_, err := s.CreateStaff(ctx, c, account.StaffInput{Email: "ada@example.org", Password: Password, Roles: []identity.Role{identity.Admin}})
			return ignore(err, account.ErrTaken)
		},
		"SetRoles": func(c identity.Caller) error {
			_, err := s.SetRoles(ctx, c, eve.CustomerID, []identity.Role{identity.Customer})
			return err
		},
		"EndedSessions": func(c identity.Caller) error { _, err := s.EndedSessions(ctx, c, nil); return err },
		"Mail":          func(c identity.Caller) error { _, err := s.Mail(ctx, c, "x.y"); return ignore(err, account.ErrNoMail) },
	}
	customers := map[string][]string{"Get": {"owner", "support", "admin", "program"}}
	for _, call := range []string{"Sessions", "Export", "SignOutEverywhere", "Update", "RemoveAddress", "PutAddress", "SetDefaultAddress"} {
		customers[call] = customers["Get"]
	}
	customers["List"] = []string{"support", "admin", "program"}
	customers["Update admin"] = []string{"admin", "program"}
	customers["CreateStaff"], customers["SetRoles"] = customers["Update admin"], customers["Update admin"]
	customers["EndedSessions"], customers["Mail"] = []string{"program"}, []string{"program"}
	for call, do := range calls {
		for caller, who := range callers {
			err := do(who)
			if may := slices.Contains(customers[call], caller); may && err != nil || !may && !isRefusal(err) {
				t.Errorf("%s by %s: %v", call, caller, err)
			}
		}
	}
	for what, do := range calls {
		if err := do(eve); what != "List" && what != "CreateStaff" && what != "SetRoles" && what != "EndedSessions" && what != "Mail" {
			want(t, what+": somebody else's account does not exist", err, account.ErrNotFound)
		}
	}
	want(t, "a customer erases another", s.Erase(ctx, eve, account.EraseInput{CustomerID: ada.CustomerID, Password: Password}), account.ErrNotFound)
	want(t, "support erases an admin", s.Erase(ctx, callers["support"], account.EraseInput{CustomerID: boss}), account.ErrForbidden)
	_, err := s.Get(ctx, Ourselves, "")
	want(t, "nobody's own account", err, account.ErrSignIn)
}

func ignore(err, harmless error) error {
	if errors.Is(err, harmless) {
		return nil
	}
	return err
}

func isRefusal(err error) bool {
	return errors.Is(err, account.ErrSignIn) || errors.Is(err, account.ErrForbidden) || errors.Is(err, account.ErrNotFound)
}

func staff(t *testing.T, w *World, s account.Service) {
	ctx := t.Context()
	c, err := s.CreateStaff(ctx, Ourselves, account.StaffInput{
		Email: "Boss@shop.example", FirstName: "Grace", Roles: []identity.Role{identity.Merchant, identity.Admin, identity.Merchant},
	})
	w.Must(err)
	if !slices.Equal(c.Roles, []identity.Role{identity.Admin, identity.Merchant}) || !c.Verified {
		t.Errorf("%+v", c)
	}
	// There is no password until the mailed link sets one.
	_, err = signIn(t, s, "boss@shop.example", "", Home)
	want(t, "without a password", err, account.ErrCredentials)
	invite := w.Latest("boss@shop.example", account.MailInvite)
	w.Must(s.Reset(ctx, guest, account.ResetInput{Token: invite.Token, Password: Password}))
	boss := identity.Caller{CustomerID: c.ID, Roles: c.Roles}
	tokens := w.Enter(s, "boss@shop.example")
	session, err := w.Verifier(s).Verify(ctx, tokens.Access)
	w.Must(err)
	if !session.Caller.May(identity.StaffWrite) {
		t.Errorf("%+v", session)
	}
	_, err = s.CreateStaff(ctx, boss, account.StaffInput{Email: "BOSS@shop.example", Password: Password, Roles: []identity.Role{identity.Support}})
	want(t, "an address that is taken", err, account.ErrTaken)
	ada := w.Customer("ada@example.org")
	adas := w.Enter(s, "ada@example.org")
	_, err = s.SetRoles(ctx, boss, boss.CustomerID, []identity.Role{identity.Customer})
	want(t, "one's own roles", err, account.ErrForbidden)
	got, err := s.SetRoles(ctx, boss, ada.CustomerID, []identity.Role{identity.Support, identity.Customer})
	w.Must(err)
	if !slices.Equal(got.Roles, []identity.Role{identity.Customer, identity.Support}) {
		t.Errorf("%+v", got)
	}
	_, err = s.Refresh(ctx, guest, adas.Refresh)
	want(t, "a session from before", err, account.ErrRefresh)
	page, err := s.List(ctx, boss, account.ListQuery{Staff: true})
	w.Must(err)
	if len(page.Customers) != 2 {
		t.Errorf("%+v", page)
	}
	_, err = s.SetRoles(ctx, boss, "unheard-of", []identity.Role{identity.Support})
	want(t, "nobody's roles", err, account.ErrNotFound)
}

func lists(t *testing.T, w *World, s account.Service) {
	ctx := t.Context()
	support := w.Staff(identity.Support)
	for i := range 7 {
		w.Customer(fmt.Sprintf("customer-%d@example.org", i))
	}
	w.Customer("zoe@example.org")
	read := func(q account.ListQuery) (emails []string) {
		for {
			page, err := s.List(ctx, support, q)
			w.Must(err)
			if len(page.Customers) != len(page.Cursors) || len(page.Customers) > max(q.Limit, 1) {
				t.Fatalf("%d accounts, %d cursors", len(page.Customers), len(page.Cursors))
			}
			for _, c := range page.Customers {
				emails = append(emails, c.Email)
			}
			if !page.HasMore {
				return emails
			}
			q.After = page.Cursors[len(page.Cursors)-1]
		}
	}
	if got := read(account.ListQuery{Limit: 3}); len(got) != 9 || !slices.IsSorted(got) {
		t.Errorf("%v", got)
	}
	if got := read(account.ListQuery{Limit: 3, Email: " Customer-"}); len(got) != 7 {
		t.Errorf("%v", got)
	}
	if got := read(account.ListQuery{Limit: 3, Email: "customer-3@example.org"}); len(got) != 1 {
		t.Errorf("%v", got)
	}
	if got := read(account.ListQuery{Limit: 3, Staff: true}); len(got) != 1 {
		t.Errorf("%v", got)
	}
}

func privacy(t *testing.T, w *World, s account.Service) {
	ctx := t.Context()
	ada := w.Customer("ada@example.org")
	tokens := w.Enter(s, "ada@example.org")
	_, err := s.PutAddress(ctx, ada, account.AddressInput{Address: account.Address{LastName: "Lovelace", Address1: "Hafenstrasse 1", City: "Hamburg", Country: "DE"}})
	w.Must(err)
	w.Must(s.RequestReset(ctx, guest, "ada@example.org"))
	reset := w.Latest("ada@example.org", account.MailReset)
	e, err := s.Export(ctx, ada, "")
	w.Must(err)
	if e.Customer.Email != "ada@example.org" || len(e.Customer.Addresses) != 1 || len(e.Sessions) != 1 || e.Sessions[0].Device != "Laptop" || len(e.Mails) != 2 {
		t.Errorf("%+v", e)
	}
	want(t, "without the password", s.Erase(ctx, ada, account.EraseInput{}), account.ErrCredentials)
	for range 2 {
		w.Must(s.Erase(ctx, ada, account.EraseInput{Password: Password}))
	}
	_, err = s.Get(ctx, ada, "")
	want(t, "get", err, account.ErrNotFound)
	_, err = s.Get(ctx, Ourselves, ada.CustomerID)
	want(t, "get by the program", err, account.ErrNotFound)
	_, err = s.Refresh(ctx, guest, tokens.Refresh)
	want(t, "refresh", err, account.ErrRefresh)
	_, err = signIn(t, s, "ada@example.org", Password, Home)
	want(t, "sign in", err, account.ErrCredentials)
	_, err = s.Mail(ctx, Ourselves, reset.ID)
	want(t, "a mail that was due", err, account.ErrNoMail)
	want(t, "a link", s.Reset(ctx, guest, account.ResetInput{Token: reset.Token, Password: Password}), account.ErrLink)
	ended, err := s.EndedSessions(ctx, Ourselves, []string{tokens.SessionID})
	w.Must(err)
	if len(ended) != 1 {
		t.Error("the session goes on")
	}
	page, err := s.List(ctx, Ourselves, account.ListQuery{})
	w.Must(err)
	if len(page.Customers) != 0 {
		t.Errorf("%+v", page)
	}
	// The address is free again, for another account.
	if again := w.Customer("ada@example.org"); again.CustomerID == ada.CustomerID {
		t.Error("the account has come back")
	}
	eve := w.Customer("eve@example.org")
	w.Must(s.Erase(ctx, w.Staff(identity.Support), account.EraseInput{CustomerID: eve.CustomerID}))
	_, err = s.Get(ctx, eve, "")
	want(t, "erased on request", err, account.ErrNotFound)
	want(t, "erase nobody", s.Erase(ctx, Ourselves, account.EraseInput{CustomerID: "unheard-of"}), account.ErrNotFound)
}

// Strings are strings, whatever a database would make of them.
func operators(t *testing.T, w *World, s account.Service) {
	ctx := t.Context()
	ada := w.Customer("ada@example.org")
	tokens := w.Enter(s, "ada@example.org")
	for _, op := range []string{`{"$gt":""}`, `{"$ne":null}`, "$where", "[$ne]", "' || '1'=='1", ".*", "_id", "ada@example.org\x00", "$ne", "decoy-1"} {
		if _, err := signIn(t, s, op, op, op); !errors.Is(err, account.ErrCredentials) && !errors.Is(err, account.ErrSlowed) {
			t.Errorf("sign in as %q: %v", op, err)
		}
		if _, err := signIn(t, s, "ada@example.org", op, op); !errors.Is(err, account.ErrCredentials) && !errors.Is(err, account.ErrSlowed) {
			t.Errorf("sign in by %q: %v", op, err)
		}
		_, err := s.Refresh(ctx, guest, op)
		want(t, "refresh "+op, err, account.ErrRefresh)
		_, err = s.Refresh(ctx, guest, op+tokens.Refresh)
		want(t, "refresh "+op, err, account.ErrRefresh)
		want(t, "verify "+op, s.Verify(ctx, guest, op), account.ErrLink)
		want(t, "reset "+op, s.Reset(ctx, guest, account.ResetInput{Token: op, Password: Password}), account.ErrLink)
		_, err = s.Get(ctx, Ourselves, op)
		want(t, "get "+op, err, account.ErrNotFound)
		if !strings.Contains(op, "\x00") { // which no verified token says
			_, err = s.Get(ctx, identity.Caller{CustomerID: op}, "")
			want(t, "get own "+op, err, account.ErrNotFound)
		}
		want(t, "erase "+op, s.Erase(ctx, Ourselves, account.EraseInput{CustomerID: op}), account.ErrNotFound)
		w.Must(s.SignOut(ctx, Ourselves, op))
		_, err = s.Mail(ctx, Ourselves, op+"."+op)
		want(t, "mail "+op, err, account.ErrNoMail)
		ended, err := s.EndedSessions(ctx, Ourselves, []string{op})
		if err != nil || len(ended) != 1 {
			t.Errorf("%v, %v", ended, err)
		}
		if page, err := s.List(ctx, Ourselves, account.ListQuery{Email: op}); err == nil && len(page.Customers) != 0 {
			t.Errorf("list %q: %+v", op, page)
		}
		_, err = s.RemoveAddress(ctx, ada, "", op)
		w.Must(err)
		_, err = s.SetDefaultAddress(ctx, ada, "", op)
		want(t, "default "+op, err, account.ErrNoAddress)
	}
	if got, err := s.EndedSessions(ctx, Ourselves, []string{tokens.SessionID}); err != nil || len(got) != 0 {
		t.Errorf("%v, %v", got, err)
	}
}
