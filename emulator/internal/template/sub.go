package template

import "strings"

// fnSub replaces ${Name}, ${Resource.Attribute} and ${Variable} in a string;
// ${!Literal} stands for ${Literal}.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-sub.html
func (r *resolver) fnSub(c call) *node {
	format, variables := c.arg, (*node)(nil)
	if c.arg.kind == list {
		if len(c.arg.items) != 2 || c.arg.items[1].kind != object {
			return r.bad(c, "takes a string or [string, {name: value}]")
		}
		format, variables = c.arg.items[0], c.arg.items[1]
	}
	s, ok := format.scalar()
	if !ok {
		return r.bad(c, "takes a string or [string, {name: value}]")
	}
	values := map[string]string{}
	for _, f := range fieldsOf(variables) {
		v, good := r.evalText(f.value, c.at, "the value of "+f.name+" in Fn::Sub")
		values[f.name], ok = v, ok && good
	}
	out, good := r.substitute(s, values, c)
	if !ok || !good {
		return brokenNode(c.line)
	}
	return textNode(c.line, out)
}

func (r *resolver) substitute(s string, values map[string]string, c call) (string, bool) {
	var out strings.Builder
	good := true
	for good {
		before, rest, found := strings.Cut(s, "${")
		out.WriteString(before)
		if !found {
			break
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			r.bad(c, "lacks a } after ${; write ${!Name} for a literal ${Name}")
			return "", false
		}
		s = after
		if literal, ok := strings.CutPrefix(name, "!"); ok {
			out.WriteString("${" + literal + "}")
			continue
		}
		value, ok := r.subValue(strings.TrimSpace(name), values, c)
		out.WriteString(value)
		good = ok && r.spend(len(value), c.line, c.at)
	}
	return out.String(), good
}

func (r *resolver) subValue(name string, values map[string]string, c call) (string, bool) {
	if v, ok := values[name]; ok {
		return v, true
	}
	var v *node
	id, attribute, dotted := strings.Cut(name, ".")
	if dotted && r.named(id) != nil && r.generated[name] == nil {
		v = r.attribute(id, attribute, c)
	} else {
		v = r.reference(name, c)
	}
	switch s, ok := v.scalar(); {
	case ok:
		return s, true
	case v == nil:
		r.bad(c, "cannot put AWS::NoValue into a string")
	case v.kind != broken:
		r.bad(c, "cannot put ${%s}, which is %s, into a string; use Fn::Join", name, v.kind)
	}
	return "", false
}
