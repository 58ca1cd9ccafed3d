package secrets

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"crypto-ticker/emulator/internal/atomicfile"
	"crypto-ticker/emulator/internal/template"
)

// contents is the file with all values.
type contents struct {
	Secrets map[string]*state // by name
}

// state is what is kept of a secret.
type state struct {
	// Origin tells the template's text of this secret from a later one: a
	// change there makes a new version, as a deployment does.
	Origin   string
	Created  time.Time
	Versions map[string]*version // by version id; each has a label
}

type version struct {
	String *string `json:",omitempty"`
	Binary []byte  `json:",omitempty"`
	// OfTemplate tells the template's values from those that were put, which are
	// read as they are.
	OfTemplate bool `json:",omitempty"`
	Created    time.Time
	Stages     []string
}

func (v *version) size() int {
	if v.String != nil {
		return len(*v.String)
	}
	return len(v.Binary)
}

func (v *version) same(w *version) bool {
	if v.String == nil || w.String == nil {
		return v.String == w.String && bytes.Equal(v.Binary, w.Binary)
	}
	return *v.String == *w.String
}

// labelled returns the id of the version that has a label, or "".
func (st *state) labelled(stage string) string {
	for id, v := range st.Versions {
		if slices.Contains(v.Stages, stage) {
			return id
		}
	}
	return ""
}

// put adds a version and moves labels to it. What was current becomes previous;
// a version that has lost its last label is forgotten.
func (st *state) put(id string, v *version, stages []string) {
	if slices.Contains(stages, current) {
		if was := st.Versions[st.labelled(current)]; was != nil {
			st.unlabel(previous)
			was.Stages = append(was.Stages, previous)
		}
	}
	for _, stage := range stages {
		st.unlabel(stage)
	}
	v.Stages = stages
	st.Versions[id] = v
	for id, v := range st.Versions {
		if len(v.Stages) == 0 {
			delete(st.Versions, id)
		}
	}
}

// unlabel takes a label from the version that has it.
func (st *state) unlabel(stage string) {
	for _, v := range st.Versions {
		v.Stages = slices.DeleteFunc(v.Stages, func(s string) bool { return s == stage })
	}
}

// clone is a copy that a change of st leaves as it is.
func (st *state) clone() *state {
	c := *st
	c.Versions = maps.Clone(st.Versions)
	for id, v := range c.Versions {
		w := *v
		w.Stages = slices.Clone(v.Stages)
		c.Versions[id] = &w
	}
	return &c
}

// originOf identifies what the template says of a secret's value.
func originOf(def *template.Secret) string {
	text, err := json.Marshal(struct {
		Value    string
		Generate *template.GenerateSecretString
		Empty    bool `json:",omitempty"`
	}{def.Value, def.Generate, def.Empty})
	if err != nil {
		panic(err) // strings, numbers and booleans
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// load reads the file, if there is to be one.
func (s *Service) load(dir string) error {
	s.kept.Secrets = make(map[string]*state)
	if dir == "" {
		return nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("secrets: data folder: %w", err)
	}
	s.file = filepath.Join(dir, "secrets.json")
	if err := atomicfile.Sweep(s.file); err != nil {
		return fmt.Errorf("secrets: remove unfinished files: %w", err)
	}
	text, err := os.ReadFile(s.file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("secrets: read: %w", err)
	}
	if json.Unmarshal(text, &s.kept) != nil || !s.kept.whole() {
		// Not the error, which may quote a secret.
		return fmt.Errorf("secrets: %s is damaged; repair it, or remove it to have new secrets made", s.file)
	}
	for name, st := range s.kept.Secrets {
		if st == nil {
			delete(s.kept.Secrets, name)
			continue
		}
		if st.Versions == nil {
			st.Versions = make(map[string]*version)
		}
	}
	if s.kept.Secrets == nil {
		s.kept.Secrets = make(map[string]*state)
	}
	return nil
}

// whole says whether each version is there.
func (c *contents) whole() bool {
	for _, st := range c.Secrets {
		if st == nil {
			continue
		}
		for _, v := range st.Versions {
			if v == nil {
				return false
			}
		}
	}
	return true
}

// save writes the file in such a way that a crash leaves the old or the new one.
func (s *Service) save() error {
	if s.file == "" {
		return nil
	}
	text, err := json.MarshalIndent(s.kept, "", "\t")
	if err != nil {
		return fmt.Errorf("secrets: encode: %w", err)
	}
	if err := atomicfile.Write(s.file, text, 0o600); err != nil {
		return fmt.Errorf("secrets: write: %w", err)
	}
	return nil
}
