// Package wiretest shows that nothing is lost on the way between services.
package wiretest

import (
	"context"
	"fmt"
	"reflect"
	"testing"
	"time"

	"ordergraph/platform/identity"
)

// Whole calls every method of a service through its client, with arguments of
// which no part is zero, and compares what arrives with what was sent and what
// comes back with what was answered. Then it does the same with zero values,
// where a pointer must stay nil. calls belong to the service that is called.
// prepare may change answers that make sense only as a whole, such as a map
// by its elements' ids.
func Whole(t *testing.T, client any, calls *Calls, prepare func(args []reflect.Value, answer []any)) {
	t.Helper()
	c := reflect.ValueOf(client)
	for i := range c.NumMethod() {
		method, name := c.Method(i), c.Type().Method(i).Name
		for _, filled := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/filled=%v", name, filled), func(t *testing.T) {
				f := filler{zero: !filled}
				typ := method.Type()
				args := make([]reflect.Value, typ.NumIn())
				for n := range args {
					args[n] = f.value(typ.In(n))
				}
				args[0] = reflect.ValueOf(t.Context())
				answer := make([]any, typ.NumOut())
				for n := range answer {
					answer[n] = f.value(typ.Out(n)).Interface()
				}
				if prepare != nil {
					prepare(args, answer)
				}
				calls.answer, calls.got = answer, nil
				back := method.Call(args)
				if err, _ := back[len(back)-1].Interface().(error); err != nil {
					t.Fatal(err)
				}
				if len(calls.got) != len(args)-1 {
					t.Fatalf("%d arguments arrived of %d", len(calls.got), len(args)-1)
				}
				for n, got := range calls.got {
					for _, d := range Differences(args[n+1].Interface(), got) {
						t.Errorf("argument %d: %s", n+1, d)
					}
				}
				for n := range back {
					for _, d := range Differences(answer[n], back[n].Interface()) {
						t.Errorf("answer %d: %s", n, d)
					}
				}
			})
		}
	}
}

// Calls is what a service under test keeps of its last call, and answers.
type Calls struct {
	got    []any
	answer []any
}

// Took notes the arguments of a call, but for its context.
func (c *Calls) Took(args ...any) { c.got = append([]any{}, args...) }

// Answer is the n-th part of the answer.
func Answer[T any](c *Calls, n int) T {
	v, _ := c.answer[n].(T)
	return v
}

// filler makes values that are all different.
type filler struct {
	n    int
	zero bool
}

var (
	contextType = reflect.TypeFor[context.Context]()
	errorType   = reflect.TypeFor[error]()
	timeType    = reflect.TypeFor[time.Time]()
	callerType  = reflect.TypeFor[identity.Caller]()
)

func (f *filler) value(t reflect.Type) reflect.Value {
	v := reflect.New(t).Elem()
	if f.zero || t == contextType || t == errorType {
		return v
	}
	f.n++
	switch t {
	case timeType:
		v.Set(reflect.ValueOf(time.Date(2026, 1, 2, 3, 4, 5, f.n*1_000_000, time.UTC)))
		return v
	case callerType:
		v.Set(reflect.ValueOf(identity.Caller{CustomerID: "customer", Roles: []identity.Role{identity.Support, identity.Merchant}}))
		return v
	}
	switch t.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprintf("text-%d ü", f.n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(int64(1_000 + f.n))
	case reflect.Uint8:
		v.SetUint(uint64(1 + f.n%250))
	case reflect.Pointer:
		v.Set(reflect.New(t.Elem()))
		v.Elem().Set(f.value(t.Elem()))
	case reflect.Slice:
		v.Set(reflect.MakeSlice(t, 2, 2))
		for i := range 2 {
			v.Index(i).Set(f.value(t.Elem()))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(t))
		for range 2 {
			v.SetMapIndex(f.value(t.Key()), f.value(t.Elem()))
		}
	case reflect.Struct:
		for i := range t.NumField() {
			v.Field(i).Set(f.value(t.Field(i).Type))
		}
	default:
		panic(fmt.Sprintf("wiretest: no value of %v", t))
	}
	return v
}

// Differences says where two values differ. An empty slice or map is like
// none, as on the wire; a pointer to zero is not like nil.
func Differences(want, got any) []string {
	return differences("", reflect.ValueOf(want), reflect.ValueOf(got))
}

func differences(path string, want, got reflect.Value) (all []string) {
	differ := func(w, g any) []string { return []string{fmt.Sprintf("%s: %v became %v", path, w, g)} }
	if !want.IsValid() || !got.IsValid() {
		if want.IsValid() != got.IsValid() {
			return differ(want, got)
		}
		return nil
	}
	if want.Type() == timeType {
		if w, g := want.Interface().(time.Time), got.Interface().(time.Time); !w.Equal(g) || w.IsZero() != g.IsZero() {
			return differ(w, g)
		}
		return nil
	}
	switch want.Kind() {
	case reflect.Pointer:
		if want.IsNil() || got.IsNil() {
			if want.IsNil() != got.IsNil() {
				return differ(want, got)
			}
			return nil
		}
		return differences(path, want.Elem(), got.Elem())
	case reflect.Slice:
		if want.Len() != got.Len() {
			return differ(want, got)
		}
		for i := range want.Len() {
			all = append(all, differences(fmt.Sprintf("%s[%d]", path, i), want.Index(i), got.Index(i))...)
		}
	case reflect.Map:
		if want.Len() != got.Len() {
			return differ(want, got)
		}
		for _, k := range want.MapKeys() {
			g := got.MapIndex(k)
			if !g.IsValid() {
				all = append(all, fmt.Sprintf("%s[%v] is gone", path, k))
				continue
			}
			all = append(all, differences(fmt.Sprintf("%s[%v]", path, k), want.MapIndex(k), g)...)
		}
	case reflect.Struct:
		for i := range want.NumField() {
			all = append(all, differences(path+"."+want.Type().Field(i).Name, want.Field(i), got.Field(i))...)
		}
	default:
		if !want.Equal(got) {
			return differ(want, got)
		}
	}
	return all
}
