package emulator

import (
	"maps"
	"testing"
)

func TestParseEnvVars(t *testing.T) {
	t.Parallel()
	got, err := parseEnvVars([]byte(`{"F":{"TEXT":"1.0","NUMBER":1.50,"BIG":12345678901234567890,"YES":true,"NO":false,"NONE":null},"G":{}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"TEXT": "1.0", "NUMBER": "1.50", "BIG": "12345678901234567890", "YES": "true", "NO": "false", "NONE": ""}
	if len(got) != 2 || !maps.Equal(got["F"], want) || len(got["G"]) != 0 {
		t.Errorf("got %v, want %v of F and none of G", got, want)
	}
	for src, want := range map[string]string{
		``:                `no JSON: EOF`,
		`{"F":`:           `no JSON: unexpected EOF`,
		`{} {}`:           `no JSON: more stands behind its end`,
		`[]`:              `it is no object`,
		`null`:            `it is no object`,
		`{"F":"x"}`:       `F is no object`,
		`{"F":{"A":[1]}}`: `A of F is neither text nor a number, true, false or null`,
		`{"F":{"A":{}}}`:  `A of F is neither text nor a number, true, false or null`,
	} {
		if got, err := parseEnvVars([]byte(src)); err == nil || err.Error() != want {
			t.Errorf("%s: got %v and error %v, want the error %q", src, got, err, want)
		}
	}
}
