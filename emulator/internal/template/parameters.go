package template

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// parameters are the template's parameters with their values.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
type parameters struct {
	byName map[string]*node // what Ref gives
	names  []string         // in template order
}

// readParameters reads the section and applies the overrides.
func readParameters(r *report, section *node, overrides map[string]string) *parameters {
	p := &parameters{byName: map[string]*node{}}
	line := 1
	if section != nil {
		line = section.line
		if section.kind != object {
			r.errorf(line, "", "Parameters must be a map, not %s", section.kind)
		}
		for _, f := range section.fields {
			p.names = append(p.names, f.name)
			p.byName[f.name] = readParameter(r, f, overrides)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(overrides)) {
		if p.byName[name] == nil {
			r.errorf(line, "", "there is no parameter %s to override%s", quoted(name), didYouMean(name, p.names))
		}
	}
	return p
}

var parameterKeys = []string{"AllowedPattern", "AllowedValues", "ConstraintDescription", "Default",
	"Description", "MaxLength", "MaxValue", "MinLength", "MinValue", "NoEcho", "Type"}

// paramReader checks one parameter's value.
type paramReader struct {
	*report
	label   string
	decl    field
	typ     string
	echo    bool
	allowed []string       // nil allows all
	choice  string         // allowed, for a message
	pattern *regexp.Regexp // nil matches all
}

// maxParameter is the longest value of a parameter in bytes.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
const maxParameter = 4096

// readParameter returns what Ref of a parameter gives.
func readParameter(r *report, f field, overrides map[string]string) *node {
	p := &paramReader{report: r, label: "parameter " + f.name, decl: f}
	wrong := brokenNode(f.line)
	if f.value.kind != object {
		p.fail("must be a map with a Type, not %s", f.value.kind)
		return wrong
	}
	for _, k := range f.value.fields {
		if !slices.Contains(parameterKeys, k.name) {
			p.errorf(k.line, p.label, "unknown key %s%s", quoted(k.name), didYouMean(k.name, parameterKeys))
		}
	}
	hidden, _ := f.value.get("NoEcho").truth()
	p.echo = !hidden
	p.typ, _ = f.value.get("Type").scalar()
	if p.typ == "" {
		p.fail("has no Type; give one, such as String")
		return wrong
	}
	given, line, ok := p.given(overrides)
	if !ok {
		return wrong
	}
	if len(given) > maxParameter {
		p.errorf(line, p.label, "the value has %d bytes; CloudFormation takes %d", len(given), maxParameter)
		return wrong
	}
	p.constraints()
	if v := p.parse(given, line); v != nil {
		return v
	}
	return wrong
}

func (p *paramReader) fail(format string, args ...any) {
	p.errorf(p.decl.line, p.label, format, args...)
}

// given returns the override or the default.
func (p *paramReader) given(overrides map[string]string) (string, int, bool) {
	if v, ok := overrides[p.decl.name]; ok {
		return v, p.decl.line, true
	}
	d := p.decl.value.get("Default")
	if d == nil {
		p.fail("has no Default and no value; give it a value")
		return "", 0, false
	}
	s, ok := d.scalar()
	if !ok {
		p.errorf(d.line, p.label, "Default must be a string or a number, not %s", d.kind)
	}
	return s, d.line, ok
}

// constraints reads those that would take long to read for each item of a list.
func (p *paramReader) constraints() {
	if n := p.decl.value.get("AllowedValues"); n != nil {
		p.allowed = []string{}
		for _, a := range n.items {
			s, _ := a.scalar()
			p.allowed = append(p.allowed, s)
		}
		const most = 50
		p.choice = strings.Join(p.allowed[:min(len(p.allowed), most)], ", ")
		if len(p.allowed) > most {
			p.choice += ", …"
		}
	}
	n := p.decl.value.get("AllowedPattern")
	pattern, ok := n.scalar()
	if !ok {
		return
	}
	if len(pattern) > maxParameter { // could take long to match
		p.notef(n.line, p.decl.name, "AllowedPattern of %d characters", len(pattern))
		return
	}
	re, err := regexp.Compile(`^(?:` + pattern + `)$`)
	if err != nil {
		p.notef(n.line, p.decl.name, "AllowedPattern %s: not a pattern that Go knows", quoted(pattern))
		return
	}
	p.pattern = re
}

// parse turns the given string into a node of the parameter's type and checks
// it; it returns nil after an error.
func (p *paramReader) parse(given string, line int) *node {
	switch {
	case p.typ == "CommaDelimitedList", p.typ == "List<Number>", strings.HasPrefix(p.typ, "List<AWS::") && strings.HasSuffix(p.typ, ">"):
		return p.parseList(given, line)
	case p.typ == "String":
		return p.check(textNode(line, given), given)
	case p.typ == "Number":
		return p.check(&node{kind: number, line: line, text: given}, given)
	case strings.HasPrefix(p.typ, "AWS::SSM::Parameter::"):
		p.notef(p.decl.line, p.decl.name, "parameter type %s: its value is used as it stands", p.typ)
		if strings.Contains(p.typ, "List") {
			return p.parseList(given, line)
		}
		return textNode(line, given)
	case strings.HasPrefix(p.typ, "AWS::"):
		return p.check(textNode(line, given), given)
	}
	t := p.decl.value.get("Type")
	p.errorf(t.line, p.label, "unknown Type %s%s", quoted(p.typ),
		didYouMean(p.typ, []string{"String", "Number", "List<Number>", "CommaDelimitedList"}))
	return nil
}

// parseList splits at commas; constraints hold for each item.
func (p *paramReader) parseList(given string, line int) *node {
	n := listNode(line)
	k := text
	if p.typ == "List<Number>" {
		k = number
	}
	for item := range strings.SplitSeq(given, ",") {
		item = strings.TrimSpace(item)
		if v := p.check(&node{kind: k, line: line, text: item}, item); v != nil {
			n.items = append(n.items, v)
		}
	}
	return n
}

// check holds a value against the constraints; it returns nil after an error.
func (p *paramReader) check(n *node, v string) *node {
	why := p.violation(n, v)
	if why == "" {
		return n
	}
	if d, ok := p.decl.value.get("ConstraintDescription").scalar(); ok && d != "" {
		why = "must be " + strings.TrimPrefix(d, "must be ")
	}
	shown := "the value "
	if p.echo {
		shown += quoted(v) + " "
	}
	p.errorf(n.line, p.label, "%s%s", shown, why)
	return nil
}

// violation says which constraint a value breaks, or "".
func (p *paramReader) violation(n *node, v string) string {
	if n.kind == number {
		if why := p.violatesNumber(v); why != "" {
			return why
		}
	}
	if p.allowed != nil && !slices.Contains(p.allowed, v) {
		return "is not allowed; give one of " + p.choice
	}
	if n.kind == text {
		length := float64(utf8.RuneCountInString(v))
		if why := p.outside(length, "MinLength", "MaxLength", "is shorter than ", "is longer than ", " characters"); why != "" {
			return why
		}
		// The whole value has to match, as with Java's Matcher.matches.
		if p.pattern != nil && !p.pattern.MatchString(v) {
			pattern, _ := p.decl.value.get("AllowedPattern").scalar()
			return "does not match " + quoted(pattern)
		}
	}
	return ""
}

func (p *paramReader) violatesNumber(v string) string {
	f, err := strconv.ParseFloat(v, 64)
	if err != nil || strings.Trim(v, "0123456789+-.eE") != "" { // Go knows NaN, Inf and 0x1p2 too
		return "is not a number"
	}
	return p.outside(f, "MinValue", "MaxValue", "is less than ", "is more than ", "")
}

// outside compares with a lower and an upper bound of the declaration.
func (p *paramReader) outside(f float64, lower, upper, below, above, unit string) string {
	for _, key := range []string{lower, upper} {
		bound := p.decl.value.get(key)
		if bound == nil {
			continue
		}
		s, _ := bound.scalar()
		limit, err := strconv.ParseFloat(s, 64)
		switch {
		case err != nil:
			p.errorf(bound.line, p.label, "%s must be a number", key)
		case key == lower && f < limit:
			return below + s + unit
		case key == upper && f > limit:
			return above + s + unit
		}
	}
	return ""
}
