// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LegacyConditionalParameters.html

package dynamodb

import (
	"cmp"
	"slices"
	"strings"
)

// legacy holds the parameters from before expressions, as they came. They are
// translated into what expressions are parsed to.
type legacy struct {
	given           []string // the names of those that the request has
	expected        []legacyCondition
	keyConditions   []legacyCondition
	queryFilter     []legacyCondition
	scanFilter      []legacyCondition
	updates         []legacyUpdate
	attributesToGet []string
	operator        string // ConditionalOperator
}

// legacyCondition is a Condition or an ExpectedAttributeValue: what is asked of
// one attribute.
type legacyCondition struct {
	name    string
	op      string // ComparisonOperator; "" if there is none
	values  []value
	value   *value // Value
	exists  *bool  // Exists
	hasList bool   // AttributeValueList is there
	invalid error  // of a value, or of the name
}

// legacyUpdate is an AttributeValueUpdate.
type legacyUpdate struct {
	name    string
	action  string
	value   *value
	invalid error // of the name or the value
}

// has says that the request has a parameter.
func (l *legacy) has(parameter string) bool { return slices.Contains(l.given, parameter) }

// member reads a parameter from before expressions, or skips what is none.
func (l *legacy) member(s *scanner, m member) (err error) {
	of := shapes[m.shape].of
	switch m.name {
	case "Expected":
		l.expected, err = s.legacyConditions(of)
	case "KeyConditions":
		l.keyConditions, err = s.legacyConditions(of)
	case "QueryFilter":
		l.queryFilter, err = s.legacyConditions(of)
	case "ScanFilter":
		l.scanFilter, err = s.legacyConditions(of)
	case "AttributeUpdates":
		l.updates, err = s.legacyUpdates(of)
	case "AttributesToGet":
		l.attributesToGet, err = s.texts()
	case "ConditionalOperator":
		l.operator, err = s.text()
	default:
		s.raw()
		return nil
	}
	l.given = append(l.given, m.name)
	return err
}

// members reads an object with f, which is called at each member's value.
func (s *scanner) members(f func(name string) error) error {
	if err := s.begin('{'); err != nil {
		return err
	}
	for s.more() {
		if err := f(s.name()); err != nil {
			return err
		}
	}
	return nil
}

func (s *scanner) texts() ([]string, error) {
	if err := s.begin('['); err != nil {
		return nil, err
	}
	var texts []string
	for s.more() {
		text, err := s.text()
		if err != nil {
			return nil, err
		}
		texts = append(texts, text)
	}
	return texts, nil
}

// legacyConditions reads conditions of a shape, by name.
func (s *scanner) legacyConditions(id shapeID) ([]legacyCondition, error) {
	var all []legacyCondition
	err := s.members(func(name string) error {
		c := legacyCondition{name: name}
		err := s.structure(id, func(m member) (err error) {
			switch m.name {
			case "ComparisonOperator":
				c.op, err = s.text()
			case "Exists":
				var exists bool
				exists, err = s.bool()
				c.exists = &exists
			case "Value":
				c.value, err = s.legacyValue(&c.invalid)
			case "AttributeValueList":
				c.hasList = true
				c.values, err = s.legacyValues(&c.invalid)
			}
			return err
		})
		c.invalid = cmp.Or(c.invalid, checkName(name))
		all = append(all, c)
		return err
	})
	return all, err
}

func (s *scanner) legacyValues(invalid *error) ([]value, error) {
	if err := s.begin('['); err != nil {
		return nil, err
	}
	var values []value
	for s.more() {
		v, err := s.legacyValue(invalid)
		if err != nil {
			return nil, err
		}
		values = append(values, *v)
	}
	return values, nil
}

// legacyValue reads a value. One of the right shape that is not valid, such as
// an empty set, is told of in invalid: other things are checked before.
func (s *scanner) legacyValue(invalid *error) (*value, error) {
	v, err := later(s, func() (value, error) { return s.value(0) }, invalid)
	return &v, err
}

// legacyUpdates reads updates of a shape, by name.
func (s *scanner) legacyUpdates(id shapeID) ([]legacyUpdate, error) {
	var all []legacyUpdate
	err := s.members(func(name string) error {
		u := legacyUpdate{name: name, action: "PUT", invalid: checkName(name)}
		err := s.structure(id, func(m member) (err error) {
			switch m.name {
			case "Action":
				u.action, err = s.text()
			case "Value":
				u.value, err = s.legacyValue(&u.invalid)
			}
			return err
		})
		all = append(all, u)
		return err
	})
	return all, err
}

// update gives the update that AttributeUpdates mean.
func (l *legacy) update() (*update, error) {
	u := &update{}
	for _, given := range l.updates {
		a, err := given.translate()
		if err != nil {
			return nil, err
		}
		u.actions = append(u.actions, a)
	}
	return u, nil
}

func (u legacyUpdate) translate() (action, error) {
	a := action{path: path{{u.name, -1}}, operand: operand{value: u.value}, legacy: true}
	switch {
	case u.invalid != nil:
		return a, u.invalid
	case u.value == nil && u.action != "DELETE":
		return a, invalidParameter("Only DELETE action is allowed when no attribute value is specified")
	case u.value == nil:
		a.section = "REMOVE"
		return a, nil
	case u.action == "PUT":
		a.section = "SET"
		return a, nil
	}
	a.section = u.action
	k := u.value.kind
	switch adds := u.action == "ADD"; {
	case u.value.isSet(), adds && (k == kindNumber || k == kindList):
		return a, nil
	case adds:
		return a, invalidParameter("ADD action is not supported for the type %s", k)
	}
	return a, invalidParameter("DELETE action with value is not supported for the type %s", k)
}

// paths gives the paths that AttributesToGet means; nil for all attributes.
func (l *legacy) paths() ([]path, error) {
	var paths []path
	seen := make(map[string]bool, len(l.attributesToGet)) // there may be any number
	for _, name := range l.attributesToGet {
		if err := checkName(name); err != nil {
			return nil, err
		}
		if seen[name] {
			return nil, invalidParameter("Duplicate value in attribute name: %s", name)
		}
		seen[name] = true
		paths = append(paths, path{{name, -1}})
	}
	return paths, nil
}

// checkMixed refuses parameters from before expressions next to expressions.
// KeyConditions alone may stand next to the other expressions of a query.
func (r *request) checkMixed(expressions []parameter, old []string) error {
	var now, before []string
	for _, x := range expressions {
		if x.text != nil {
			now = append(now, x.label)
		}
	}
	for _, name := range old {
		if r.legacy.has(name) && (name != "KeyConditions" || r.keyCondition != nil) {
			before = append(before, name)
		}
	}
	if now == nil || before == nil {
		return nil
	}
	return validationf("Can not use both expression and non-expression parameters in the same request: "+
		"Non-expression parameters: {%s} Expression parameters: {%s}", strings.Join(before, ", "), strings.Join(now, ", "))
}
