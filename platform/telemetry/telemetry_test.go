package telemetry_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"

	"ordergraph/platform/telemetry"
)

func TestLinesCarryTheRequest(t *testing.T) {
	var out bytes.Buffer
	log := telemetry.NewLogger(&out, slog.LevelInfo, false).With("service", "cart")
	log.InfoContext(telemetry.WithRequestID(t.Context(), "request-1"), "hello")
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil || line["request"] != "request-1" || line["service"] != "cart" {
		t.Errorf("%s %v", out.String(), err)
	}
	out.Reset()
	log.Info("hello")
	if strings.Contains(out.String(), "request") {
		t.Error("a line outside a request has one")
	}
}

func TestRequestIDsFromOutsideArePlain(t *testing.T) {
	if got := telemetry.CleanRequestID("abc-DEF_123.4"); got != "abc-DEF_123.4" {
		t.Errorf("%q", got)
	}
	for _, bad := range []string{"", "short", "line\nbreak-here", `quote"d-request`, strings.Repeat("a", 65), "späte-anfrage"} {
		if got := telemetry.CleanRequestID(bad); got == bad || len(got) < 16 {
			t.Errorf("%q became %q", bad, got)
		}
	}
}
