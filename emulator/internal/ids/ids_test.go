package ids_test

import (
	"regexp"
	"testing"
	"time"

	"crypto-ticker/emulator/internal/ids"
)

func TestForms(t *testing.T) {
	t.Parallel()
	now := time.Unix(0x6650aa11, 0)
	tests := []struct {
		name, form string
		make       func() string
	}{
		{"request id", `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, ids.RequestID},
		{"gateway id", `^[A-Za-z0-9_-]{15}=$`, ids.Gateway},
		{"trace", `^Root=1-6650aa11-[0-9a-f]{24}$`, func() string { return ids.Trace(now) }},
		{"hex", `^[0-9a-f]{32}$`, func() string { return ids.Hex(16) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a, b := tt.make(), tt.make()
			if !regexp.MustCompile(tt.form).MatchString(a) {
				t.Errorf("got %q; want the form %s", a, tt.form)
			}
			if a == b {
				t.Errorf("the same twice: %q", a)
			}
		})
	}
}
