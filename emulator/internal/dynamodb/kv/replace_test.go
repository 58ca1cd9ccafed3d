package kv

import (
	"os"
	"path/filepath"
	"testing"
)

// TestReplace fails to put a file into the place of another: that must stay, as
// what it was and where it was.
func TestReplace(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, aside := filepath.Join(dir, "test.db"), filepath.Join(dir, "aside")
	if err := os.WriteFile(file, []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Replace(file, filepath.Join(dir, "nothing"), aside); err == nil {
		t.Error("there is no new file, and no error")
	}
	if got, err := os.ReadFile(file); string(got) != "damaged" {
		t.Errorf("got %q, %v, want the file as it was", got, err)
	}
	if err := Replace(file, filepath.Join(dir, "nothing"), filepath.Join(dir, "no folder", "aside")); err == nil {
		t.Error("the file cannot be kept, and there is no error")
	}
	if err := os.WriteFile(filepath.Join(dir, "new"), []byte("new"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Replace(file, filepath.Join(dir, "new"), filepath.Join(dir, "no folder", "aside")); err == nil {
		t.Error("the file cannot be kept, and there is no error")
	}
	if got, err := os.ReadFile(file); string(got) != "damaged" {
		t.Errorf("got %q, %v, want the file as it was: it has not been kept", got, err)
	}
	if err := Replace(file, filepath.Join(dir, "new"), filepath.Join(dir, "kept")); err != nil {
		t.Error(err)
	}
	for name, want := range map[string]string{file: "new", filepath.Join(dir, "kept"): "damaged"} {
		if got, err := os.ReadFile(name); string(got) != want {
			t.Errorf("%s is %q, %v, want %q", name, got, err, want)
		}
	}
}
