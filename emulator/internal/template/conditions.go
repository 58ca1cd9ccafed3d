package template

import (
	"maps"
	"slices"
)

// condition is one of the template's conditions, worked out when it is first
// needed.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/conditions-section-structure.html
type condition struct {
	decl        field
	busy, known bool
	value, ok   bool
}

// readConditions reads the section.
func (r *resolver) readConditions(section *node) {
	if section == nil {
		return
	}
	if section.kind != object {
		r.errorf(section.line, "", "Conditions must be a map, not %s", section.kind)
	}
	for _, f := range section.fields {
		r.conditions[f.name] = &condition{decl: f}
	}
	for _, f := range section.fields {
		r.condition(f.name, f.line, "condition "+f.name)
	}
}

// condition says whether the named condition holds. ok is false if that cannot
// be said, which is then reported.
func (r *resolver) condition(name string, line int, at string) (value, ok bool) {
	c := r.conditions[name]
	switch {
	case r.full():
		return false, false
	case c == nil && (name == "true" || name == "false"):
		r.errorf(line, at, "there is no condition %s; a name that YAML takes for true or false, such as Yes, stands in quotes", quoted(name))
		return false, false
	case c == nil:
		r.errorf(line, at, "there is no condition %s%s", quoted(name),
			r.suggest(name, func() []string { return slices.Collect(maps.Keys(r.conditions)) }))
		return false, false
	case c.busy:
		r.errorf(c.decl.line, "condition "+name, "depends on itself")
		return false, false
	case !c.known:
		c.busy = true
		c.value, c.ok = r.evalCondition(c.decl.value, "condition "+name)
		c.busy, c.known = false, true
	}
	return c.value, c.ok
}

// evalCondition works out Fn::And, Or, Not, Equals or {Condition: name}.
func (r *resolver) evalCondition(n *node, at string) (value, ok bool) {
	const form = "a condition is one of Fn::Equals, Fn::And, Fn::Or, Fn::Not and Condition"
	if n.kind != object || len(n.fields) != 1 {
		r.errorf(n.line, at, form)
		return false, false
	}
	c := call{name: n.fields[0].name, arg: n.fields[0].value, line: n.line, at: at}
	switch c.name {
	case "Condition":
		name, isText := c.arg.scalar()
		if !isText {
			r.bad(c, "takes the name of a condition")
			return false, false
		}
		return r.condition(name, c.line, at)
	case "Fn::Not":
		args := r.args(c, 1, 1, "[condition]")
		if args == nil {
			return false, false
		}
		value, ok = r.evalCondition(args[0], at)
		return !value, ok
	case "Fn::And", "Fn::Or":
		return r.andOr(c)
	case "Fn::Equals":
		return r.equals(c)
	}
	r.errorf(n.line, at, form+", not %s", quoted(c.name))
	return false, false
}

func (r *resolver) andOr(c call) (value, ok bool) {
	args := r.args(c, 2, 10, "2 to 10 conditions")
	if args == nil {
		return false, false
	}
	and := c.name == "Fn::And"
	value, ok = and, true
	for _, arg := range args {
		v, good := r.evalCondition(arg, c.at)
		ok = ok && good
		if and {
			value = value && v
		} else {
			value = value || v
		}
	}
	return value, ok
}

func (r *resolver) equals(c call) (value, ok bool) {
	args := r.args(c, 2, 2, "[value, value]")
	if args == nil {
		return false, false
	}
	a, b := r.eval(args[0], c.at), r.eval(args[1], c.at)
	if a == nil || b == nil {
		return a == b, true
	}
	return equal(a, b), a.kind != broken && b.kind != broken
}
