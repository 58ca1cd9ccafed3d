package atomicfile_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"crypto-ticker/emulator/internal/atomicfile"
)

// names are the files of a folder.
func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func TestWrite(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	name := filepath.Join(dir, "values.json")
	for _, tt := range []struct {
		content string
		mode    fs.FileMode
	}{{"a long first content", 0o600}, {"short", 0o644}, {"", 0o600}} {
		if err := atomicfile.Write(name, []byte(tt.content), tt.mode); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(name)
		if err != nil || string(got) != tt.content {
			t.Errorf("got %q, %v, want %q", got, err, tt.content)
		}
		info, err := os.Stat(name)
		if err != nil || runtime.GOOS != "windows" && info.Mode() != tt.mode {
			t.Errorf("mode: got %v, %v, want %v", info.Mode(), err, tt.mode)
		}
	}
	if got, want := names(t, dir), []string{"values.json"}; !slices.Equal(got, want) {
		t.Errorf("got files %q, want %q", got, want)
	}
}

// Who has the file open goes on reading the old one.
func TestWriteLeavesReadersTheirFile(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("files that are open cannot be replaced")
	}
	name := filepath.Join(t.TempDir(), "ca.pem")
	if err := atomicfile.Write(name, []byte("the old one"), 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := atomicfile.Write(name, []byte("new"), 0o644); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 100)
	if n, err := f.Read(b); err != nil || string(b[:n]) != "the old one" {
		t.Errorf("got %q, %v", b[:n], err)
	}
}

func TestWriteFails(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := atomicfile.Write(filepath.Join(dir, "none", "x"), nil, 0o600); err == nil {
		t.Error("got no error in a folder that is not there")
	}
	if err := os.Mkdir(filepath.Join(dir, "taken"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := atomicfile.Write(filepath.Join(dir, "taken"), nil, 0o600); err == nil {
		t.Error("got no error in place of a folder")
	}
	if got, want := names(t, dir), []string{"taken"}; !slices.Equal(got, want) {
		t.Errorf("got files %q, want %q: nothing is left behind", got, want)
	}
}

func TestSweep(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"values.json", "values.json.123", "values.json.4567890", "values.json.", "values.json.12b", "other.json.123"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "values.json.99"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := atomicfile.Sweep(filepath.Join(dir, "values.json")); err != nil {
		t.Fatal(err)
	}
	want := []string{"other.json.123", "values.json", "values.json.", "values.json.12b", "values.json.99"}
	if got := names(t, dir); !slices.Equal(got, want) {
		t.Errorf("got files %q, want %q", got, want)
	}
	if err := atomicfile.Sweep(filepath.Join(dir, "none", "x")); err != nil {
		t.Errorf("in a folder that is not there: %v", err)
	}
}
