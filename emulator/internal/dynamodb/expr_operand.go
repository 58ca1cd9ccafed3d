// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html

package dynamodb

// operand is a path, a value, or a function of operands.
type operand struct {
	fn    string // "" for a path or value; a function's name, + or -
	path  path
	value *value
	args  []operand
	paren bool // it stands in parentheses
}

// function is what an expression may call.
type function struct {
	args   int
	update bool // it belongs in an update, else in a condition
	inner  bool // its value is an operand of others; else it can only stand alone
}

var functions = map[string]function{
	"attribute_exists": {args: 1}, "attribute_not_exists": {args: 1}, "attribute_type": {args: 2}, "begins_with": {args: 2}, "contains": {args: 2},
	"size":          {args: 1, inner: true},
	"list_append":   {args: 2, update: true},
	"if_not_exists": {args: 2, update: true, inner: true},
}

// operand reads an operand of others: a path, a value, a function that has one,
// or any of them in parentheses.
func (p *parser) operand() (operand, error) {
	if !p.accept('(') {
		return p.plain(true)
	}
	o, err := p.operand()
	if err == nil {
		err = p.closed(&o.paren)
	}
	return o, err
}

// plain reads an operand without parentheses; inner says that it is one of
// others.
func (p *parser) plain(inner bool) (operand, error) {
	switch t := p.peek(); {
	case t.kind == ':':
		v, err := p.value()
		return operand{value: v}, err
	case t.kind == 'a' && p.tokens[p.pos+1].kind == '(':
		return p.function(inner)
	}
	path, err := p.path()
	return operand{path: path}, err
}

func (p *parser) function(inner bool) (operand, error) {
	o := operand{fn: p.next().text}
	f, ok := functions[o.fn]
	switch {
	case !ok:
		return o, p.invalid("Invalid function name; function: " + o.fn)
	case f.update && p.label != "UpdateExpression":
		return o, p.invalid("The function is not allowed in a condition expression; function: " + o.fn)
	case !f.update && p.label == "UpdateExpression":
		return o, p.invalid("The function is not allowed in an update expression; function: " + o.fn)
	case inner && !f.inner:
		return o, p.misplaced(o.fn)
	}
	var err error
	if o.args, err = p.arguments(); err != nil {
		return o, err
	}
	if len(o.args) != f.args {
		return o, p.wrongCount(o.fn, len(o.args))
	}
	if err := p.operator(); err != nil {
		return o, err
	}
	return o, p.checkFunction(o)
}

// arguments reads operands in parentheses.
func (p *parser) arguments() ([]operand, error) {
	if err := p.expect('('); err != nil {
		return nil, err
	}
	var args []operand
	for {
		arg, err := p.operand()
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

// kind is the type of the operand, "" if it cannot be known without an item.
func (o operand) kind() kind {
	switch {
	case o.value != nil:
		return o.value.kind
	case o.fn == "size" || o.isSum():
		return kindNumber
	case o.fn == "list_append":
		return kindList
	}
	return ""
}

func (o operand) isSum() bool { return o.fn == "+" || o.fn == "-" }
