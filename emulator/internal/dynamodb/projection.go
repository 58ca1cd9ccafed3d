// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.ProjectionExpressions.html

package dynamodb

import "slices"

// parseProjection reads a list of paths.
func parseProjection(src string, bind *bindings) ([]path, error) {
	p, err := newParser("ProjectionExpression", src, bind)
	if err != nil {
		return nil, err
	}
	var paths []path
	for {
		one, err := p.path()
		if err != nil {
			return nil, err
		}
		paths = append(paths, one)
		if !p.accept(',') {
			break
		}
	}
	if err := p.end(); err != nil {
		return nil, err
	}
	return paths, p.checkOverlap(paths)
}

// project gives what the paths lead to, in the places where it lies; nil paths
// mean all. List elements move up.
func (it item) project(paths []path) item {
	if paths == nil {
		return it
	}
	v, _ := value{kind: kindMap, item: it}.project(paths)
	return v.item
}

func (v value) project(paths []path) (value, bool) {
	if slices.ContainsFunc(paths, func(p path) bool { return len(p) == 0 }) {
		return v, true
	}
	out := value{kind: v.kind}
	for _, e := range firstElements(paths) {
		child, ok := v.child(e)
		if !ok {
			continue
		}
		var rest []path
		for _, p := range paths {
			if p[0] == e {
				rest = append(rest, p[1:])
			}
		}
		if child, ok = child.project(rest); !ok {
			continue
		}
		if v.kind == kindList {
			out.list = append(out.list, child)
		} else {
			out.item = append(out.item, attribute{e.name, child})
		}
	}
	return out, len(out.list)+len(out.item) > 0
}

// firstElements gives the first elements of the paths, each once, in order.
func firstElements(paths []path) []element {
	firsts := make([]element, len(paths))
	for i, p := range paths {
		firsts[i] = p[0]
	}
	slices.SortFunc(firsts, func(a, b element) int { return path{a}.compare(path{b}) })
	return slices.Compact(firsts)
}
