// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html

package dynamodb

import (
	"strconv"
	"strings"
)

// maxExpression is how long an expression may be, in bytes. It also bounds how
// deep one can nest.
const maxExpression = 4096

// condition is a node of a condition, key condition or filter.
type condition struct {
	op    string       // AND, OR, NOT, BETWEEN, IN, a comparator, or a function
	kids  []*condition // of AND, OR, NOT
	args  []operand    // of all others
	paren bool         // it stands in parentheses
}

// operand is a path, a value, or a function of operands.
type operand struct {
	fn    string // "" for a path or value; size, if_not_exists, list_append, +, -
	path  path
	value *value
	args  []operand
}

// bindings are the placeholders of a request, and which of them its expressions
// use.
type bindings struct {
	names      map[string]string
	values     map[string]value
	usedNames  map[string]bool
	usedValues map[string]bool
}

// parser reads one expression.
type parser struct {
	label  string // such as ConditionExpression
	src    string
	tokens []token
	pos    int
	bind   *bindings
	count  int // operators and functions so far
}

func newParser(label, src string, bind *bindings) (*parser, error) {
	p := &parser{label: label, src: src, bind: bind}
	if strings.TrimSpace(src) == "" {
		return nil, p.invalid("The expression can not be empty;")
	}
	if len(src) > maxExpression {
		text := "Expression size has exceeded the maximum allowed size;"
		if label != "UpdateExpression" {
			text += " expression size: " + strconv.Itoa(len(src))
		}
		return nil, p.invalid(text)
	}
	p.tokens = lex(src)
	return p, nil
}

// parseCondition reads a condition, key condition or filter.
func parseCondition(label, src string, bind *bindings) (*condition, error) {
	p, err := newParser(label, src, bind)
	if err != nil {
		return nil, err
	}
	c, err := p.or()
	if err != nil {
		return nil, err
	}
	return c, p.end()
}

func (p *parser) invalid(text string) error {
	return validation("Invalid " + p.label + ": " + text)
}

// maxOperators is how many operators and functions an expression may have.
const maxOperators = 300

// operator counts an operator or function.
func (p *parser) operator() error {
	if p.count++; p.count > maxOperators {
		return p.invalid("The expression contains too many operators; operator count: " + strconv.Itoa(p.count))
	}
	return nil
}

func (p *parser) peek() token { return p.tokens[p.pos] }

func (p *parser) next() token {
	t := p.tokens[p.pos]
	if t.kind != 0 {
		p.pos++
	}
	return t
}

func (p *parser) accept(kind byte) bool {
	if p.peek().kind != kind {
		return false
	}
	p.pos++
	return true
}

func (p *parser) expect(kind byte) error {
	if p.accept(kind) {
		return nil
	}
	return p.syntaxError()
}

func (p *parser) end() error {
	if p.peek().kind == 0 {
		return nil
	}
	return p.syntaxError()
}

// syntaxError is about the next token, and shows it with its neighbours.
func (p *parser) syntaxError() error {
	t := p.peek()
	start := p.tokens[max(p.pos-1, 0)].start
	end := p.tokens[min(p.pos+1, len(p.tokens)-1)].end
	return p.invalid(`Syntax error; token: "` + t.text + `", near: "` + strings.TrimSpace(p.src[start:end]) + `"`)
}

func (p *parser) or() (*condition, error)  { return p.chain("OR", p.and) }
func (p *parser) and() (*condition, error) { return p.chain("AND", p.not) }

// chain reads conditions with an operator between them.
func (p *parser) chain(op string, kid func() (*condition, error)) (*condition, error) {
	left, err := kid()
	for err == nil && p.peek().isWord(op) {
		p.next()
		var right *condition
		if right, err = kid(); err == nil {
			err = p.operator()
		}
		left = &condition{op: op, kids: []*condition{left, right}}
	}
	return left, err
}

func (p *parser) not() (*condition, error) {
	if !p.peek().isWord("NOT") {
		return p.primary()
	}
	p.next()
	c, err := p.not()
	if err == nil {
		err = p.operator()
	}
	return &condition{op: "NOT", kids: []*condition{c}}, err
}

// primary reads parentheses, a function, or a comparison.
func (p *parser) primary() (*condition, error) {
	if p.peek().kind == '(' {
		return p.parentheses()
	}
	if p.peek().kind == 'a' && p.tokens[p.pos+1].kind == '(' {
		if name := p.peek().text; name != "size" {
			return p.function(name)
		}
	}
	left, err := p.operand()
	if err != nil {
		return nil, err
	}
	return p.comparison(left)
}

func (p *parser) parentheses() (*condition, error) {
	p.next()
	c, err := p.or()
	if err != nil {
		return nil, err
	}
	if err := p.expect(')'); err != nil {
		return nil, err
	}
	if c.paren {
		return nil, p.invalid("The expression has redundant parentheses;")
	}
	c.paren = true
	return c, nil
}

var comparators = map[byte]string{'=': "=", '!': "<>", '<': "<", 'l': "<=", '>': ">", 'g': ">="}

func (p *parser) comparison(left operand) (*condition, error) {
	t := p.peek()
	if op, ok := comparators[t.kind]; ok {
		p.next()
		right, err := p.operand()
		if err != nil {
			return nil, err
		}
		return p.checked(&condition{op: op, args: []operand{left, right}})
	}
	switch {
	case t.isWord("BETWEEN"):
		p.next()
		return p.between(left)
	case t.isWord("IN"):
		p.next()
		rest, err := p.arguments(p.operand)
		if err != nil {
			return nil, err
		}
		return p.checked(&condition{op: "IN", args: append([]operand{left}, rest...)})
	case left.fn != "" && t.kind != 'a':
		return nil, p.invalid("The function is not allowed to be used this way in an expression; function: " + left.fn)
	}
	return nil, p.syntaxError()
}

func (p *parser) between(left operand) (*condition, error) {
	low, err := p.operand()
	if err != nil {
		return nil, err
	}
	if !p.peek().isWord("AND") {
		return nil, p.syntaxError()
	}
	p.next()
	high, err := p.operand()
	if err != nil {
		return nil, err
	}
	return p.checked(&condition{op: "BETWEEN", args: []operand{left, low, high}})
}

// function reads a function that is a condition.
func (p *parser) function(name string) (*condition, error) {
	switch name {
	case "attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains":
	case "if_not_exists", "list_append":
		return nil, p.invalid("The function is not allowed in a condition expression; function: " + name)
	default:
		return nil, p.invalid("Invalid function name; function: " + name)
	}
	p.next()
	args, err := p.arguments(p.operand)
	if err != nil {
		return nil, err
	}
	return p.checked(&condition{op: name, args: args})
}

// arguments reads operands in parentheses; one reads each of them.
func (p *parser) arguments(one func() (operand, error)) ([]operand, error) {
	if err := p.expect('('); err != nil {
		return nil, err
	}
	var args []operand
	for {
		arg, err := one()
		if err != nil {
			return nil, err
		}
		args = append(args, arg)
		if p.accept(')') {
			return args, nil
		}
		if err := p.expect(','); err != nil {
			return nil, err
		}
	}
}

// operand reads a path, a value, or size(path).
func (p *parser) operand() (operand, error) {
	t := p.peek()
	switch {
	case t.kind == ':':
		v, err := p.value()
		return operand{value: v}, err
	case t.kind == 'a' && p.tokens[p.pos+1].kind == '(':
		if t.text != "size" {
			return operand{}, p.misplaced(t.text)
		}
		p.next()
		args, err := p.arguments(p.operand)
		if err == nil && len(args) != 1 {
			err = p.wrongCount("size", len(args))
		} else if err == nil && args[0].path == nil {
			err = p.invalid("Operator or function requires a document path; operator or function: size")
		} else if err == nil {
			err = p.operator()
		}
		return operand{fn: "size", args: args}, err
	}
	path, err := p.path()
	return operand{path: path}, err
}

// misplaced is the error for a function where an operand must stand.
func (p *parser) misplaced(name string) error {
	switch name {
	case "attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains", "if_not_exists", "list_append":
		return p.invalid("The function is not allowed to be used this way in an expression; function: " + name)
	}
	return p.invalid("Invalid function name; function: " + name)
}

// value reads a placeholder of a value.
func (p *parser) value() (*value, error) {
	t := p.peek()
	if t.kind != ':' {
		return nil, p.syntaxError()
	}
	p.next()
	v, ok := p.bind.values[t.text]
	if !ok {
		return nil, p.invalid("An expression attribute value used in expression is not defined; attribute value: " + t.text)
	}
	p.bind.usedValues[t.text] = true
	return &v, nil
}
