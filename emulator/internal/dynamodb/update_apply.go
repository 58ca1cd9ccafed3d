// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html

package dynamodb

import "slices"

var (
	errUpdateTooLarge = validation("Item size to update has exceeded the maximum allowed size")
	errOperandType    = validation("An operand in the update expression has an incorrect data type")
	errUpdateType     = validation("Type mismatch for attribute to update")
	errMissing        = validation("The provided expression refers to an attribute that does not exist in the item")
	errBadPath        = validation("The document path provided in the update expression is invalid for update")
)

// apply gives the item as the update makes it; old stays as it is. Every
// operand is taken from old, so actions do not see each other. AttributeUpdates
// may be as many as an item can have: whole attributes are changed all at once.
func (u *update) apply(old item) (item, error) {
	root := value{kind: kindMap, item: old.clone()}
	written := 0 // bytes; the item will hold all of them, so memory is bounded
	var set item
	var gone []string
	var removed []path
	for _, a := range u.ordered() {
		v, keep, err := a.result(old)
		if err != nil {
			return nil, err
		}
		if keep {
			if written += v.size(); written > maxItemSize {
				return nil, errUpdateTooLarge
			}
		}
		switch whole := len(a.path) == 1; {
		case keep && whole:
			set = append(set, attribute{a.path[0].name, v})
		case keep:
			if root, err = root.set(a.path, v); err != nil {
				return nil, err
			}
		case whole:
			gone = append(gone, a.path[0].name)
		default:
			removed = append(removed, a.path)
		}
	}
	// From the back, so that an index means what it did in the old list.
	for _, p := range slices.Backward(removed) {
		var err error
		if root, err = root.remove(p); err != nil {
			return nil, err
		}
	}
	return sorted(append(root.item.withoutAll(gone), set...)), nil
}

// ordered gives the actions by path, so that elements set beyond the end of a
// list are appended in the order of their indexes.
func (u *update) ordered() []action {
	return slices.SortedFunc(slices.Values(u.actions), func(a, b action) int { return a.path.compare(b.path) })
}

// result gives the value that an action leaves at its path; keep is false if it
// leaves none.
func (a action) result(old item) (v value, keep bool, err error) {
	switch a.section {
	case "SET":
		v, err = a.operand.setValue(old)
		return v, true, err
	case "REMOVE":
		return v, false, nil
	}
	current, exists := old.lookup(a.path)
	change := *a.operand.value
	switch {
	case !exists:
		return change, a.section == "ADD", nil
	case current.kind != change.kind && a.legacy:
		return v, false, errUpdateType
	case current.kind != change.kind:
		return v, false, errOperandType
	case a.section == "DELETE":
		current.list = slices.DeleteFunc(slices.Clone(current.list), change.hasMember)
		return current, len(current.list) > 0, nil
	case change.kind == kindNumber:
		current.text, err = addNumbers(current.text, change.text, false)
		return current, true, err
	case change.kind == kindList: // AttributeUpdates alone adds to a list
		return value{kind: kindList, list: slices.Concat(current.list, change.list)}, true, nil
	}
	current.list = sortSet(slices.Concat(current.list, change.list))
	return current, true, nil
}

// hasMember says that v is in a set of such values.
func (set value) hasMember(v value) bool {
	_, found := slices.BinarySearchFunc(set.list, v, func(member, v value) int {
		order, _ := member.compare(v)
		return order
	})
	return found
}

// kind is the type of what an action leaves at its path; "" if it is not known
// without an item, or nothing.
func (a action) kind() kind {
	if a.section == "REMOVE" || a.section == "DELETE" {
		return ""
	}
	return a.operand.kind()
}

// setValue evaluates what SET assigns.
func (o operand) setValue(old item) (value, error) {
	if o.fn == "" {
		v, ok := o.resolve(old)
		if !ok {
			return v, errMissing
		}
		return v, nil
	}
	if o.fn == "if_not_exists" {
		if v, ok := old.lookup(o.args[0].path); ok {
			return v, nil
		}
		return o.args[1].setValue(old)
	}
	a, err := o.args[0].setValue(old)
	if err != nil {
		return value{}, err
	}
	b, err := o.args[1].setValue(old)
	if err != nil {
		return value{}, err
	}
	want := kindNumber
	if o.fn == "list_append" {
		want = kindList
	}
	if a.kind != want || b.kind != want {
		return value{}, errOperandType
	}
	if o.fn == "list_append" {
		if len(a.list)+len(b.list) > maxItemSize {
			return value{}, errUpdateTooLarge
		}
		return value{kind: kindList, list: slices.Concat(a.list, b.list)}, nil
	}
	a.text, err = addNumbers(a.text, b.text, o.fn == "-")
	return a, err
}

// set gives v with what lies at a path replaced; it may write to v. An index
// beyond the end of a list appends to it.
func (v value) set(p path, leaf value) (value, error) {
	if len(p) == 0 {
		return leaf, nil
	}
	e := p[0]
	child, ok := v.child(e)
	if !ok && len(p) > 1 || (e.index < 0) != (v.kind == kindMap) || (e.index >= 0) != (v.kind == kindList) {
		return v, errBadPath
	}
	child, err := child.set(p[1:], leaf)
	switch {
	case err != nil:
		return v, err
	case e.index < 0:
		v.item = v.item.with(e.name, child)
	case ok:
		v.list[e.index] = child
	default:
		v.list = append(v.list, child)
	}
	return v, nil
}

// remove gives v without what lies at a path; it may write to v.
func (v value) remove(p path) (value, error) {
	e := p[0]
	child, ok := v.child(e)
	switch {
	case (e.index < 0) != (v.kind == kindMap) || (e.index >= 0) != (v.kind == kindList), !ok && len(p) > 1:
		return v, errBadPath
	case !ok:
		return v, nil
	case len(p) == 1 && e.index < 0:
		v.item = v.item.without(e.name)
		return v, nil
	case len(p) == 1:
		v.list = slices.Delete(v.list, e.index, e.index+1)
		return v, nil
	}
	child, err := child.remove(p[1:])
	if err != nil {
		return v, err
	}
	if e.index < 0 {
		v.item = v.item.with(e.name, child)
	} else {
		v.list[e.index] = child
	}
	return v, nil
}
