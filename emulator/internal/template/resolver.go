package template

import (
	"maps"
	"slices"
)

// resolver knows what references can name and works intrinsics out.
type resolver struct {
	*report
	stack      *Stack // region, account and name are set
	params     *parameters
	mappings   *node
	conditions map[string]*condition
	resources  map[string]*resource // by logical id, absent ones too
	present    []*resource          // in template order, without those whose Condition is false
	generated  map[string]*resource // see generate
	sections   *node                // the template
	spent      int                  // see spend
	busy       map[string]bool      // see ownText
}

// newResolver reads everything that references can name.
func newResolver(r *report, root *node, s *Stack, overrides map[string]string) *resolver {
	res := &resolver{
		report:     r,
		stack:      s,
		sections:   root,
		params:     readParameters(r, root.get("Parameters"), overrides),
		mappings:   root.get("Mappings"),
		conditions: map[string]*condition{},
		resources:  map[string]*resource{},
		generated:  map[string]*resource{},
		busy:       map[string]bool{},
	}
	res.readConditions(root.get("Conditions"))
	res.readResources(root)
	return res
}

// maxSpent bounds what intrinsics produce, in bytes.
const maxSpent = 16 << 20

// spend counts n towards the bound; false means that it is passed.
func (r *resolver) spend(n, line int, at string) bool {
	r.spent += n
	if r.spent <= maxSpent {
		return true
	}
	if r.spent-n <= maxSpent {
		r.errorf(line, at, "the template's intrinsics make more than %d MB", maxSpent>>20)
	}
	return false
}

// eval returns the node with all intrinsics worked out, or nil for
// AWS::NoValue. What cannot be worked out is reported, in the name of the
// resource at, and broken.
func (r *resolver) eval(n *node, at string) *node {
	if n == nil {
		return nil
	}
	if name, arg, ok := n.intrinsic(); ok {
		return r.call(name, arg, n.line, at)
	}
	if r.full() || !r.spend(1, n.line, at) {
		return brokenNode(n.line)
	}
	switch n.kind {
	case list:
		out := listNode(n.line)
		for _, item := range n.items {
			if v := r.eval(item, at); v != nil {
				out.items = append(out.items, v)
			}
		}
		return out
	case object:
		return r.evalFields(n, at)
	}
	return n
}

func (r *resolver) evalFields(n *node, at string) *node {
	out := &node{kind: object, line: n.line}
	for _, f := range n.fields {
		if isFunction(f.name) {
			r.errorf(f.line, at, "%s stands beside other keys; an intrinsic is the only key of its map", f.name)
			continue
		}
		if v := r.eval(f.value, at); v != nil {
			out.fields = append(out.fields, field{name: f.name, line: f.line, value: v})
		}
	}
	return out
}

// evalText evaluates what must become a string. A failure is reported.
func (r *resolver) evalText(n *node, at, what string) (string, bool) {
	v := r.eval(n, at)
	if v == nil {
		r.errorf(n.line, at, "%s must be a string, not AWS::NoValue", what)
		return "", false
	}
	s, ok := v.scalar()
	if !ok && v.kind != broken {
		r.errorf(n.line, at, "%s must be a string, not %s", what, v.kind)
	}
	return s, ok
}

// ownText evaluates a property that references of the property itself could need.
func (r *resolver) ownText(res *resource, property string) (string, bool) {
	n, key := res.props.get(property), res.id+"."+property
	if r.busy[key] {
		r.errorf(n.line, res.id, "%s refers to itself; give it a value without a circle", property)
		return "", false
	}
	r.busy[key] = true
	defer delete(r.busy, key)
	return r.evalText(n, res.id, property)
}

// evalList evaluates what must become a list. A failure is reported.
func (r *resolver) evalList(n *node, at, what string) ([]*node, bool) {
	v := r.eval(n, at)
	switch {
	case v == nil:
		r.errorf(n.line, at, "%s must be a list, not AWS::NoValue", what)
		return nil, false
	case v.kind == list:
		return v.items, true
	case v.kind != broken:
		r.errorf(n.line, at, "%s must be a list, not %s", what, v.kind)
	}
	return nil, false
}

// referable returns the names that Ref and Sub can use, for suggestions.
func (r *resolver) referable() []string {
	names := slices.Collect(maps.Keys(r.resources))
	names = append(names, r.params.names...)
	names = slices.AppendSeq(names, maps.Keys(r.generated))
	return append(names, pseudoParameters...)
}
