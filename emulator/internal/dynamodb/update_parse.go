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

// sum reads what SET assigns: an operand, or two with + or - between them. Each
// may stand in parentheses, and only what comes after them tells of which they
// are.
func (p *parser) sum() (operand, error) {
	left, err := p.assigned()
	op := p.peek()
	if err != nil || left.isSum() || op.kind != '+' && op.kind != '-' {
		return left, err
	}
	if left.fn == "list_append" {
		return left, p.misplaced(left.fn)
	}
	p.next()
	right, err := p.operand()
	if err != nil {
		return right, err
	}
	o := operand{fn: op.text, args: []operand{left, right}}
	if err := p.operator(); err != nil {
		return o, err
	}
	return o, p.checkKinds(o.fn, o.args, numberKinds)
}

// assigned reads an operand that stands alone, or parentheses.
func (p *parser) assigned() (operand, error) {
	if !p.accept('(') {
		return p.plain(false)
	}
	o, err := p.sum()
	if err == nil {
		err = p.closed(&o.paren)
	}
	return o, err
}
