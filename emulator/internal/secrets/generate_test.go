package secrets

import (
	"encoding/json"
	"strings"
	"testing"

	"crypto-ticker/emulator/internal/template"
)

func TestGenerate(t *testing.T) {
	t.Parallel()
	type G = template.GenerateSecretString
	for _, tt := range []struct {
		name    string
		g       G
		length  int
		allowed string
		each    []string // has one of each
	}{
		{"as it comes", G{RequireEachIncludedType: true}, 32, lowercase + uppercase + numbers + punctuation, []string{lowercase, uppercase, numbers, punctuation}},
		{"each type, short", G{PasswordLength: 4, RequireEachIncludedType: true}, 4, lowercase + uppercase + numbers + punctuation, []string{lowercase, uppercase, numbers, punctuation}},
		{"space", G{PasswordLength: 5, IncludeSpace: true, RequireEachIncludedType: true}, 5, lowercase + uppercase + numbers + punctuation + " ", []string{" "}},
		{"no punctuation", G{PasswordLength: 64, ExcludePunctuation: true}, 64, lowercase + uppercase + numbers, nil},
		{"numbers alone", G{PasswordLength: 4096, ExcludePunctuation: true, ExcludeLowercase: true, ExcludeUppercase: true}, 4096, numbers, nil},
		{"excluded characters", G{PasswordLength: 500, ExcludeCharacters: "0123456789\"@/\\é"}, 500,
			strings.NewReplacer("\"", "", "@", "", "/", "", "\\", "").Replace(lowercase + uppercase + punctuation), nil},
		{"a kind without characters is not required", G{PasswordLength: 3, ExcludeCharacters: numbers, RequireEachIncludedType: true}, 3, lowercase + uppercase + punctuation, []string{lowercase}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			seen := make(map[string]bool)
			for range 20 {
				got, err := generate(&tt.g)
				if err != nil {
					t.Fatal(err)
				}
				if len(got) != tt.length || strings.Trim(got, tt.allowed) != "" {
					t.Errorf("got %q (%d characters), want %d of %q", got, len(got), tt.length, tt.allowed)
				}
				for _, kind := range tt.each {
					if !strings.ContainsAny(got, kind) {
						t.Errorf("%q has none of %q", got, kind)
					}
				}
				seen[got] = true
			}
			if len(seen) < 19 {
				t.Errorf("20 secrets, %d different", len(seen))
			}
		})
	}
}

func TestGenerateUsesEveryCharacter(t *testing.T) {
	t.Parallel()
	got, err := generate(&template.GenerateSecretString{PasswordLength: 4096, IncludeSpace: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range lowercase + uppercase + numbers + punctuation + " " {
		// 43 of each are expected; 5 or fewer happen once in 10^10 runs.
		if n := strings.Count(got, string(c)); n <= 5 {
			t.Errorf("%q stands %d times among 4096 characters", c, n)
		}
	}
}

func TestGenerateInTemplate(t *testing.T) {
	t.Parallel()
	got, err := generate(&template.GenerateSecretString{SecretStringTemplate: `{"user":"<a&b>","n":12345678901234567890}`, GenerateStringKey: "password", PasswordLength: 12})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(got, `"user":"<a&b>"`) || !strings.Contains(got, `"n":12345678901234567890`) {
		t.Errorf("got %s: the template's members are not as they were", got)
	}
	var object struct{ Password string }
	if err := json.Unmarshal([]byte(got), &object); err != nil || len(object.Password) != 12 {
		t.Errorf("got %s, %v: want a password of 12 characters", got, err)
	}
}

func TestGenerateErrors(t *testing.T) {
	t.Parallel()
	type G = template.GenerateSecretString
	for want, g := range map[string]G{
		"PasswordLength is -1; it must be 1 to 4096":                                         {PasswordLength: -1},
		"PasswordLength 3 is too short for 4 types of characters, each of which is required": {PasswordLength: 3, RequireEachIncludedType: true},
		"GenerateSecretString excludes every character":                                      {ExcludeLowercase: true, ExcludeUppercase: true, ExcludeNumbers: true, ExcludePunctuation: true},
		"SecretStringTemplate is not a JSON object":                                          {GenerateStringKey: "k", SecretStringTemplate: "null"},
	} {
		if got, err := generate(&g); err == nil || err.Error() != want {
			t.Errorf("got %q, %v, want %s", got, err, want)
		}
	}
}
