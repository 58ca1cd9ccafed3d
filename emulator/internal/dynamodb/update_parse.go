// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html

package dynamodb

import (
	"slices"
	"strings"
)

// update is an update expression.
type update struct {
	actions []action
}

// action changes one place of an item.
type action struct {
	section string // SET, REMOVE, ADD or DELETE
	path    path
	operand operand // none for REMOVE
	legacy  bool    // it comes from AttributeUpdates
}

// paths lists the places that the update changes.
func (u *update) paths() []path {
	paths := make([]path, len(u.actions))
	for i, a := range u.actions {
		paths[i] = a.path
	}
	return paths
}

// creates says that the update makes an item where there is none: all do but
// those that only take away.
func (u *update) creates() bool {
	return len(u.actions) == 0 || slices.ContainsFunc(u.actions, func(a action) bool {
		return a.section == "SET" || a.section == "ADD"
	})
}

func parseUpdate(src string, bind *bindings) (*update, error) {
	p, err := newParser("UpdateExpression", src, bind)
	if err != nil {
		return nil, err
	}
	u := &update{}
	seen := map[string]bool{}
	for p.peek().kind != 0 {
		section := strings.ToUpper(p.peek().text)
		switch section {
		case "SET", "REMOVE", "ADD", "DELETE":
		default:
			return nil, p.syntaxError()
		}
		if seen[section] {
			return nil, p.invalid(`The "` + section + `" section can only be used once in an update expression;`)
		}
		seen[section] = true
		p.next()
		if err := p.section(section, u); err != nil {
			return nil, err
		}
	}
	return u, p.checkOverlap(u.paths())
}

// section reads actions with commas between them.
func (p *parser) section(name string, u *update) error {
	for {
		path, err := p.path()
		if err != nil {
			return err
		}
		a := action{section: name, path: path}
		switch name {
		case "SET":
			if err = p.expect('='); err == nil {
				a.operand, err = p.sum()
			}
		case "ADD", "DELETE":
			a.operand.value, err = p.value()
			if err == nil {
				err = p.checkSection(name, a.operand.value.kind)
			}
		}
		if err != nil {
			return err
		}
		u.actions = append(u.actions, a)
		if !p.accept(',') {
			return nil
		}
	}
}

// longKinds are the names of types that errors about ADD and DELETE use.
var longKinds = map[kind]string{
	kindString: "STRING", kindNumber: "NUMBER", kindBinary: "BINARY", kindBool: "BOOLEAN", kindNull: "NULL",
	kindStringSet: "STRING_SET", kindNumberSet: "NUMBER_SET", kindBinarySet: "BINARY_SET", kindList: "LIST", kindMap: "MAP",
}

func (p *parser) checkSection(name string, k kind) error {
	if (value{kind: k}).isSet() || name == "ADD" && k == kindNumber {
		return nil
	}
	return p.invalid("Incorrect operand type for operator or function; operator: " + name +
		", operand type: " + longKinds[k] + ", typeSet: ALLOWED_FOR_" + name + "_OPERAND")
}

// sum reads an operand of SET, or two with + or - between them.
func (p *parser) sum() (operand, error) {
	if p.accept('(') {
		o, err := p.sum()
		if err == nil {
			err = p.expect(')')
		}
		return o, err
	}
	left, err := p.setOperand()
	if err != nil {
		return operand{}, err
	}
	op := p.peek()
	if op.kind != '+' && op.kind != '-' {
		return left, nil
	}
	p.next()
	right, err := p.setOperand()
	if err != nil {
		return operand{}, err
	}
	for _, o := range []operand{left, right} {
		if o.value != nil && o.value.kind != kindNumber {
			return operand{}, p.wrongType(op.text, o.value.kind)
		}
		if o.fn == "list_append" {
			return operand{}, p.wrongType(op.text, kindList)
		}
	}
	return operand{fn: op.text, args: []operand{left, right}}, p.operator()
}

// setOperand reads a path, a value, if_not_exists or list_append.
func (p *parser) setOperand() (operand, error) {
	t := p.peek()
	switch {
	case t.kind == ':':
		v, err := p.value()
		return operand{value: v}, err
	case t.kind == 'a' && p.tokens[p.pos+1].kind == '(':
		return p.setFunction(t.text)
	}
	path, err := p.path()
	return operand{path: path}, err
}

func (p *parser) setFunction(name string) (operand, error) {
	switch name {
	case "if_not_exists", "list_append":
	case "attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains", "size":
		return operand{}, p.invalid("The function is not allowed in an update expression; function: " + name)
	default:
		return operand{}, p.invalid("Invalid function name; function: " + name)
	}
	p.next()
	args, err := p.arguments(p.setOperand)
	if err != nil {
		return operand{}, err
	}
	if len(args) != 2 {
		return operand{}, p.wrongCount(name, len(args))
	}
	if name == "if_not_exists" && args[0].path == nil {
		return operand{}, p.invalid("Operator or function requires a document path; operator or function: if_not_exists")
	}
	for _, a := range args {
		if name == "list_append" && a.value != nil && a.value.kind != kindList {
			return operand{}, p.wrongType(name, a.value.kind)
		}
	}
	return operand{fn: name, args: args}, p.operator()
}
