package template

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// props reads the resolved properties of a resource, or of an object within. A
// property that is absent gives its default; a wrong one is reported and gives
// its default too. All methods work on props of nothing.
type props struct {
	*report
	at   string // the resource
	path string // such as "EventInvokeConfig." for properties within
	line int    // of the object
	n    *node  // an object, or nil
}

// has says whether a property is there.
func (p *props) has(name string) bool { return p.n.get(name) != nil }

// lineOf returns the line of a property, or of the object if it is absent.
func (p *props) lineOf(name string) int {
	if f := p.n.field(name); f != nil {
		return f.line
	}
	return p.line
}

// bad reports what is wrong with a property.
func (p *props) bad(name, format string, args ...any) {
	p.errorf(p.lineOf(name), p.at, "%s%s %s", p.path, name, fmt.Sprintf(format, args...))
}

// value returns the property's node unless it is absent or broken.
func (p *props) value(name string) *node {
	v := p.n.get(name)
	if v == nil || v.kind == broken {
		return nil
	}
	return v
}

func (p *props) str(name string) string { return p.strOr(name, "") }

func (p *props) strOr(name, otherwise string) string {
	v := p.value(name)
	if v == nil {
		return otherwise
	}
	s, ok := v.scalar()
	if !ok {
		p.bad(name, "must be a string, not %s", v.kind)
		return otherwise
	}
	return s
}

// required is str of a property that must be there and not be empty.
func (p *props) required(name string) string {
	s := p.str(name)
	if v := p.n.get(name); v == nil || s == "" && v.isScalar() {
		p.bad(name, "is missing; give it")
	}
	return s
}

// number reads a whole number from least to most.
func (p *props) number(name string, otherwise, least, most int) int {
	v := p.value(name)
	if v == nil {
		return otherwise
	}
	i, ok := v.integer()
	switch {
	case !ok:
		p.bad(name, "must be a whole number, not %s", describe(v))
	case i < least || i > most:
		p.bad(name, "is %d; give a number from %d to %d", i, least, most)
	default:
		return i
	}
	return otherwise
}

// decimal reads a number from least to most.
func (p *props) decimal(name string, otherwise, least, most float64) float64 {
	v := p.value(name)
	if v == nil {
		return otherwise
	}
	s, _ := v.scalar()
	switch f, err := strconv.ParseFloat(s, 64); {
	case err != nil || math.IsNaN(f):
		p.bad(name, "must be a number, not %s", describe(v))
	case f < least || f > most:
		p.bad(name, "is %s; give a number from %.f to %.f", s, least, most)
	default:
		return f
	}
	return otherwise
}

// duration is number in units of unit.
func (p *props) duration(name string, unit time.Duration, otherwise, least, most int) time.Duration {
	return time.Duration(p.number(name, otherwise, least, most)) * unit
}

func (p *props) truth(name string, otherwise bool) bool {
	v := p.value(name)
	if v == nil {
		return otherwise
	}
	b, ok := v.truth()
	if !ok {
		p.bad(name, "must be true or false, not %s", describe(v))
		return otherwise
	}
	return b
}

// oneOf is str of a property with few values; the first one is the default.
func (p *props) oneOf(name string, values ...string) string {
	s := p.strOr(name, values[0])
	if !slices.Contains(values, s) {
		p.bad(name, "is %s; give one of %s", quoted(s), strings.Join(values, ", "))
		return values[0]
	}
	return s
}

// object returns the properties of an object within.
func (p *props) object(name string) *props {
	sub := &props{report: p.report, at: p.at, path: p.path + name + ".", line: p.lineOf(name)}
	v := p.value(name)
	if v == nil || v.kind == null {
		return sub
	}
	if v.kind != object {
		p.bad(name, "must be a map, not %s", v.kind)
		return sub
	}
	sub.n = v
	return sub
}

// names returns the names of the properties there are.
func (p *props) names() []string { return p.n.names() }

// list returns the items of a list; it is nil if there is none.
func (p *props) list(name string) []*node {
	v := p.value(name)
	if v == nil {
		return nil
	}
	if v.kind != list {
		p.bad(name, "must be a list, not %s", v.kind)
	}
	return v.items
}

// objects returns the properties of the objects of a list.
func (p *props) objects(name string) []*props {
	var out []*props
	for _, item := range p.list(name) {
		if item.kind == object {
			out = append(out, &props{report: p.report, at: p.at, path: p.path + name + ".", line: item.line, n: item})
		} else if item.kind != broken {
			p.errorf(item.line, p.at, "%s%s must hold maps, not %s", p.path, name, item.kind)
		}
	}
	return out
}

// strings returns the strings of a list.
func (p *props) strings(name string) []string {
	var out []string
	for _, item := range p.list(name) {
		if s, ok := item.scalar(); ok {
			out = append(out, s)
		} else if item.kind != broken {
			p.errorf(item.line, p.at, "%s%s must hold strings, not %s", p.path, name, item.kind)
		}
	}
	return out
}

// stringMap returns an object whose values are strings, or are made strings.
func (p *props) stringMap(name string) map[string]string {
	o := p.object(name)
	m := map[string]string{}
	for _, f := range fieldsOf(o.n) {
		if s, ok := f.value.scalar(); ok {
			m[f.name] = s
		} else if f.value.kind != broken {
			o.bad(f.name, "must be a string, not %s", f.value.kind)
		}
	}
	return m
}

// known goes through the properties that are there: those in read and in
// silent are fine, those in noted are not emulated and change what happens, and
// any other is a misspelling or is noted as well.
func (p *props) known(read, silent, noted []string) {
	for _, f := range fieldsOf(p.n) {
		if slices.Contains(read, f.name) || slices.Contains(silent, f.name) {
			continue
		}
		if !slices.Contains(noted, f.name) {
			if name := closest(f.name, slices.Concat(read, silent, noted)); name != "" {
				p.bad(f.name, "is unknown; did you mean %s?", name)
				continue
			}
		}
		p.notef(f.line, p.at, "property %s%s", p.path, f.name)
	}
}

// describe gives a value for a message.
func describe(n *node) string {
	if s, ok := n.scalar(); ok {
		return quoted(s)
	}
	return n.kind.String()
}
