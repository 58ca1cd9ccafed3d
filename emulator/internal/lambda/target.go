package lambda

import (
	"fmt"
	"slices"
	"strings"

	"crypto-ticker/emulator/internal/template"
)

// latest is the version of a function that has no number. It is the same code as
// the other one, template.OnlyVersion, which a function with an alias has.
const latest = "$LATEST"

// target is what a name means: a function, and the version or alias of it, as
// far as the name has one.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-versions.html
type target struct {
	*function
	qualifier string // "", $LATEST, a version or an alias
}

// arn is the target's, with its qualifier.
func (t target) arn() string {
	if t.qualifier == "" {
		return t.def.ARN
	}
	return t.def.ARN + ":" + t.qualifier
}

// version is the one that answers.
func (t target) version() string {
	if t.qualifier == "" || t.qualifier == latest {
		return latest
	}
	return template.OnlyVersion
}

// find returns what a name, a partial or a full ARN means, each with or without
// a version or an alias.
func (s *Service) find(ref string) (target, error) {
	if f := s.unqualified(ref); f != nil {
		return target{function: f}, nil
	}
	if i := strings.LastIndexByte(ref, ':'); i >= 0 {
		if f := s.unqualified(ref[:i]); f != nil && slices.Contains(f.qualifiers(), ref[i+1:]) {
			return target{f, ref[i+1:]}, nil
		}
	}
	return target{}, fmt.Errorf("%w: %s", ErrNotFound, ref)
}

func (s *Service) unqualified(ref string) *function {
	if f := s.names[ref]; f != nil {
		return f
	}
	if account, name, ok := strings.Cut(ref, ":function:"); ok && account == s.cfg.AccountID {
		return s.names[name]
	}
	return s.names[strings.TrimPrefix(ref, "function:")]
}

// qualifiers are those that the function has.
func (f *function) qualifiers() []string {
	if f.def.Alias == "" {
		return []string{latest}
	}
	return []string{latest, template.OnlyVersion, f.def.Alias}
}
