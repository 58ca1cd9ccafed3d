package auth

import (
	"strings"
	"testing"
)

const (
	testPepper = "0123456789abcdef0123456789abcdef"
	goldenKey  = "ctk_cb0VZXHt_bKLaMqUiIawolD691iK8Ufvf9Ncn7q8d3J6lw5"
	goldenHash = "0d0fbfc3aea5b841fc6116959f23492542894a8fc79a728d8fc6a7d14e0c11a1"
)

func TestNewKey(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 1000 {
		key, lookup := NewKey()
		got, ok := ParseKey(key)
		if !ok || got != lookup {
			t.Fatalf("ParseKey(NewKey() = %q) = %q, %v; want %q, true", key, got, ok, lookup)
		}
		if seen[lookup] {
			t.Fatalf("lookup %q came twice", lookup)
		}
		seen[lookup] = true
	}
}

// A key that was given out has to stay valid: format and checksum are fixed. The
// expected values were computed apart from this code, with zlib.crc32 and hmac
// of another language.
func TestKeyFormat(t *testing.T) {
	t.Parallel()
	entropy := make([]byte, 64)
	for i := range entropy {
		entropy[i] = byte(i)
	}
	key, lookup := keyFrom(entropy)
	if got, want := key, goldenKey; got != want {
		t.Errorf("key = %q; want %q", got, want)
	}
	if got, want := lookup, goldenKey[4:12]; got != want {
		t.Errorf("lookup = %q; want %q", got, want)
	}
}

func TestParseKeyRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, key string }{
		{"nothing", ""},
		{"prefix alone", "ctk_"},
		{"another prefix", "cti" + goldenKey[3:]},
		{"too short", goldenKey[:len(goldenKey)-1]},
		{"too long", goldenKey + "0"},
		{"white space", goldenKey[:len(goldenKey)-1] + " "},
		{"separator", strings.Replace(goldenKey, "_", "-", 2)},
		{"lookup not base 62", goldenKey[:5] + "é" + goldenKey[7:]},
		{"lookup of dots", "ctk_........" + goldenKey[12:]},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if lookup, ok := ParseKey(tt.key); ok || lookup != "" {
				t.Errorf("ParseKey(%q) = %q, %v; want \"\", false", tt.key, lookup, ok)
			}
		})
	}
}

// Every key with one wrong character, and every key with two neighbours in the
// wrong order, is found by the checksum.
func TestChecksumFindsTypingErrors(t *testing.T) {
	t.Parallel()
	for i := range len(goldenKey) {
		for _, c := range []byte(base62 + "_") {
			if typo := goldenKey[:i] + string(c) + goldenKey[i+1:]; typo != goldenKey {
				if _, ok := ParseKey(typo); ok {
					t.Fatalf("%q passes for a key", typo)
				}
			}
		}
		if i > 0 && goldenKey[i] != goldenKey[i-1] {
			typo := goldenKey[:i-1] + goldenKey[i:i+1] + goldenKey[i-1:i] + goldenKey[i+1:]
			if _, ok := ParseKey(typo); ok {
				t.Fatalf("%q passes for a key", typo)
			}
		}
	}
}

func TestPepper(t *testing.T) {
	t.Parallel()
	p, err := NewPepper(testPepper)
	if err != nil {
		t.Fatal(err)
	}
	other, err := NewPepper(strings.ToUpper(testPepper))
	if err != nil {
		t.Fatal(err)
	}
	hash := p.Hash(goldenKey)
	if got, want := hash, goldenHash; got != want {
		t.Errorf("Hash = %q; want %q, or the stored keys are lost", got, want)
	}
	for _, tt := range []struct {
		name   string
		pepper Pepper
		key    string
		hash   string
		want   bool
	}{
		{"the key", p, goldenKey, hash, true},
		{"another key", p, goldenKey + "x", hash, false},
		{"another pepper", other, goldenKey, hash, false},
		{"no hash", p, goldenKey, "", false},
		{"part of the hash", p, goldenKey, hash[:63], false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := tt.pepper.Matches(tt.key, tt.hash); got != tt.want {
				t.Errorf("Matches = %v; want %v", got, tt.want)
			}
		})
	}
}

func TestShortPepper(t *testing.T) {
	t.Parallel()
	const secret = "swordfish"
	_, err := NewPepper(secret)
	if err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("NewPepper(%q) = %v; want an error without the secret", secret, err)
	}
}

func TestDemoKey(t *testing.T) {
	t.Parallel()
	p, _ := NewPepper(testPepper)
	other, _ := NewPepper(strings.ToUpper(testPepper))
	key, lookup := p.DemoKey()
	if got, ok := ParseKey(key); !ok || got != lookup {
		t.Errorf("ParseKey(%q) = %q, %v; want %q, true", key, got, ok, lookup)
	}
	if again, _ := p.DemoKey(); again != key {
		t.Errorf("the same pepper gave %q and %q", key, again)
	}
	if foreign, _ := other.DemoKey(); foreign == key {
		t.Error("two peppers gave the same key")
	}
}

func FuzzParseKey(f *testing.F) {
	f.Add(goldenKey)
	f.Add("ctk_")
	f.Add(strings.Repeat("_", keyLength))
	f.Fuzz(func(t *testing.T, key string) {
		lookup, ok := ParseKey(key)
		if !ok {
			if lookup != "" {
				t.Errorf("ParseKey(%q) = %q, false; want no lookup", key, lookup)
			}
			return
		}
		if !IsLookup(lookup) || !strings.HasPrefix(key, "ctk_"+lookup+"_") || len(key) != keyLength {
			t.Errorf("ParseKey(%q) = %q, true", key, lookup)
		}
	})
}
