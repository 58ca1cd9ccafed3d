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
	if len(paths) == 0 {
		return nil
	}
	v, _ := value{kind: kindMap, item: it}.project(slices.SortedFunc(slices.Values(paths), path.compare))
	return v.item
}

// project takes paths in order.
func (v value) project(paths []path) (value, bool) {
	if len(paths[0]) == 0 {
		return v, true
	}
	out := value{kind: v.kind}
	for len(paths) > 0 {
		e, n := paths[0][0], 1
		for n < len(paths) && paths[n][0] == e {
			n++
		}
		same := paths[:n]
		paths = paths[n:]
		child, ok := v.child(e)
		if !ok {
			continue
		}
		rest := make([]path, n)
		for i, p := range same {
			rest[i] = p[1:]
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
