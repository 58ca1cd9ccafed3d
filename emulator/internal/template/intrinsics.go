package template

import (
	"encoding/base64"
	"slices"
	"strings"
)

// The intrinsics that are emulated, and those that are used in Conditions only.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
var emulatedIntrinsics = []string{"Ref", "Fn::And", "Fn::Base64", "Fn::Equals", "Fn::FindInMap", "Fn::GetAZs",
	"Fn::GetAtt", "Fn::If", "Fn::Join", "Fn::Not", "Fn::Or", "Fn::Select", "Fn::Split", "Fn::Sub"}

// notEmulated has the intrinsics that need what a template does not hold. They
// give an empty string, and a note.
var notEmulated = []string{"Fn::Cidr", "Fn::ForEach", "Fn::ImportValue", "Fn::Length", "Fn::ToJsonString", "Fn::Transform"}

// call is one use of an intrinsic.
type call struct {
	name string
	arg  *node
	line int
	at   string // the resource it stands in
}

// call works one intrinsic out. Its argument is not resolved, its result is.
func (r *resolver) call(name string, arg *node, line int, at string) *node {
	if r.full() || !r.spend(1, line, at) {
		return brokenNode(line)
	}
	v := r.apply(call{name: name, arg: arg, line: line, at: at})
	if v != nil && !r.spend(v.weight(), line, at) {
		return brokenNode(line)
	}
	return v
}

func (r *resolver) apply(c call) *node {
	switch c.name {
	case "Ref":
		return r.fnRef(c)
	case "Fn::GetAtt":
		return r.fnGetAtt(c)
	case "Fn::Sub":
		return r.fnSub(c)
	case "Fn::Join":
		return r.fnJoin(c)
	case "Fn::Split":
		return r.fnSplit(c)
	case "Fn::Select":
		return r.fnSelect(c)
	case "Fn::If":
		return r.fnIf(c)
	case "Fn::FindInMap":
		return r.fnFindInMap(c)
	case "Fn::Base64":
		return r.fnBase64(c)
	case "Fn::GetAZs":
		return r.fnGetAZs(c)
	case "Fn::Equals", "Fn::And", "Fn::Or", "Fn::Not":
		return r.bad(c, "stands only in Conditions; name a condition there and use it with Fn::If")
	}
	if base, _, _ := strings.Cut(strings.TrimPrefix(c.name, "Fn::"), "::"); slices.Contains(notEmulated, "Fn::"+base) {
		r.notef(c.line, c.at, "%s, which gives an empty string", c.name)
		return textNode(c.line, "")
	}
	r.errorf(c.line, c.at, "%s is no intrinsic function%s", quoted(c.name),
		didYouMean(c.name, slices.Concat(emulatedIntrinsics, notEmulated)))
	return brokenNode(c.line)
}

// bad reports what is wrong with a call.
func (r *resolver) bad(c call, format string, args ...any) *node {
	r.errorf(c.line, c.at, c.name+" "+format, args...)
	return brokenNode(c.line)
}

// args returns the call's argument as a list of n to m arguments, or nil.
func (r *resolver) args(c call, n, m int, form string) []*node {
	if c.arg.kind == list && len(c.arg.items) >= n && len(c.arg.items) <= m {
		return c.arg.items
	}
	r.bad(c, "takes %s", form)
	return nil
}

func (r *resolver) fnJoin(c call) *node {
	args := r.args(c, 2, 2, "[delimiter, [values]]")
	if args == nil {
		return brokenNode(c.line)
	}
	delimiter, ok := r.evalText(args[0], c.at, "the delimiter of Fn::Join")
	items, ok2 := r.evalList(args[1], c.at, "the second argument of Fn::Join")
	if !ok || !ok2 {
		return brokenNode(c.line)
	}
	var values []string
	size := 0
	for _, item := range items {
		s, ok := item.scalar()
		if !ok {
			if item.kind != broken {
				r.errorf(item.line, c.at, "Fn::Join joins strings, not %s", item.kind)
			}
			return brokenNode(c.line)
		}
		values = append(values, s)
		if size += len(s) + len(delimiter); size > maxSpent {
			r.spend(size, c.line, c.at)
			return brokenNode(c.line)
		}
	}
	return textNode(c.line, strings.Join(values, delimiter))
}

func (r *resolver) fnSplit(c call) *node {
	args := r.args(c, 2, 2, "[delimiter, string]")
	if args == nil {
		return brokenNode(c.line)
	}
	delimiter, ok := r.evalText(args[0], c.at, "the delimiter of Fn::Split")
	s, ok2 := r.evalText(args[1], c.at, "the second argument of Fn::Split")
	switch {
	case !ok || !ok2:
		return brokenNode(c.line)
	case delimiter == "":
		return r.bad(c, "needs a delimiter that is not empty")
	case !r.spend(strings.Count(s, delimiter), c.line, c.at):
		return brokenNode(c.line)
	}
	return textList(c.line, strings.Split(s, delimiter))
}

func (r *resolver) fnSelect(c call) *node {
	args := r.args(c, 2, 2, "[index, [values]]")
	if args == nil {
		return brokenNode(c.line)
	}
	index := r.eval(args[0], c.at)
	items, ok := r.evalList(args[1], c.at, "the second argument of Fn::Select")
	if !ok || index != nil && index.kind == broken {
		return brokenNode(c.line)
	}
	i, isNumber := index.integer()
	switch {
	case !isNumber:
		return r.bad(c, "needs a number as its index")
	case i < 0 || i >= len(items):
		return r.bad(c, "has the index %d, but the list has %d values", i, len(items))
	}
	return items[i]
}

// chosen follows Fn::If to the value that stands, which is not evaluated; nil
// if there is none. An Fn::If that is wrong is reported where it is evaluated.
func (r *resolver) chosen(n *node, at string) *node {
	for {
		name, arg, ok := n.intrinsic()
		if !ok || name != "Fn::If" {
			return n
		}
		if arg.kind != list || len(arg.items) != 3 {
			return nil
		}
		condition, ok := arg.items[0].scalar()
		if !ok {
			return nil
		}
		value, ok := r.condition(condition, arg.items[0].line, at)
		switch {
		case !ok:
			return nil
		case value:
			n = arg.items[1]
		default:
			n = arg.items[2]
		}
	}
}

func (r *resolver) fnIf(c call) *node {
	args := r.args(c, 3, 3, "[condition, value if true, value if false]")
	if args == nil {
		return brokenNode(c.line)
	}
	name, ok := args[0].scalar()
	if !ok {
		return r.bad(c, "needs the name of a condition as its first argument, not %s", args[0].kind)
	}
	value, ok := r.condition(name, args[0].line, c.at)
	switch {
	case !ok:
		return brokenNode(c.line)
	case value:
		return r.eval(args[1], c.at)
	}
	return r.eval(args[2], c.at)
}

func (r *resolver) fnFindInMap(c call) *node {
	args := r.args(c, 3, 4, "[map, first key, second key]")
	if args == nil {
		return brokenNode(c.line)
	}
	at, path := r.mappings, "Mappings"
	for _, arg := range args[:3] {
		key, ok := r.evalText(arg, c.at, "a key of Fn::FindInMap")
		if !ok {
			return brokenNode(c.line)
		}
		next := at.get(key)
		if next == nil {
			if len(args) == 4 && args[3].get("DefaultValue") != nil {
				return r.eval(args[3].get("DefaultValue"), c.at)
			}
			return r.bad(c, "finds no %s in %s%s", quoted(key), path, r.suggest(key, at.names))
		}
		at, path = next, path+"."+key
	}
	if at.kind == object || at.kind == null {
		return r.bad(c, "finds %s at %s; it takes a string or a list", at.kind, path)
	}
	return at
}

func (r *resolver) fnBase64(c call) *node {
	s, ok := r.evalText(c.arg, c.at, "the argument of Fn::Base64")
	if !ok || !r.spend(len(s), c.line, c.at) {
		return brokenNode(c.line)
	}
	return textNode(c.line, base64.StdEncoding.EncodeToString([]byte(s)))
}

// fnGetAZs gives the first three zones of any region.
func (r *resolver) fnGetAZs(c call) *node {
	region, ok := r.evalText(c.arg, c.at, "the argument of Fn::GetAZs")
	if !ok {
		return brokenNode(c.line)
	}
	if region == "" {
		region = r.stack.Region
	}
	return textList(c.line, []string{region + "a", region + "b", region + "c"})
}

func isFunction(name string) bool {
	return name == "Ref" || strings.HasPrefix(name, "Fn::")
}
