// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html

package dynamodb

import "strings"

// condition is a node of a condition, key condition or filter.
type condition struct {
	op    string       // AND, OR, NOT, BETWEEN, IN, a comparator, or a function; "" in the parser for an operand alone
	kids  []*condition // one of NOT, all of AND and OR
	args  []operand    // of all others
	paren bool         // it stands in parentheses
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
	if err := p.end(); err != nil {
		return nil, err
	}
	return p.whole(c)
}

func (p *parser) or() (*condition, error)  { return p.chain("OR", p.and) }
func (p *parser) and() (*condition, error) { return p.chain("AND", p.not) }

// chain reads conditions with an operator between them, or one of what kid reads.
func (p *parser) chain(op string, kid func() (*condition, error)) (*condition, error) {
	all := &condition{op: op}
	for {
		c, err := kid()
		if err != nil {
			return nil, err
		}
		more := p.peek().isWord(op)
		if !more && all.kids == nil {
			return c, nil
		}
		if c, err = p.whole(c); err != nil {
			return nil, err
		}
		if all.kids != nil {
			err = p.operator()
		}
		if all.kids = append(all.kids, c); !more || err != nil {
			return all, err
		}
		p.next()
	}
}

func (p *parser) not() (*condition, error) {
	if !p.peek().isWord("NOT") {
		return p.primary()
	}
	p.next()
	c, err := p.not()
	if err == nil {
		c, err = p.whole(c)
	}
	if err == nil {
		err = p.operator()
	}
	return &condition{op: "NOT", kids: []*condition{c}}, err
}

// whole makes a condition of an operand alone, which a function may be.
func (p *parser) whole(c *condition) (*condition, error) {
	if c.op != "" {
		return c, nil
	}
	switch o := c.args[0]; {
	case o.fn == "":
		return nil, p.syntaxError()
	case functions[o.fn].inner:
		return nil, p.misplaced(o.fn)
	default:
		return &condition{op: o.fn, args: o.args, paren: c.paren}, nil
	}
}

// primary reads a comparison, an operand alone, or parentheses. In parentheses
// may be a condition or an operand: only what comes after them tells which.
func (p *parser) primary() (*condition, error) {
	if !p.accept('(') {
		o, err := p.plain(false)
		if err != nil {
			return nil, err
		}
		return p.comparison(&condition{args: []operand{o}})
	}
	c, err := p.or()
	if err != nil {
		return nil, err
	}
	if err := p.closed(&c.paren); err != nil || c.op != "" {
		return c, err
	}
	return p.comparison(c)
}

var comparators = map[byte]string{'=': "=", '!': "<>", '<': "<", 'l': "<=", '>': ">", 'g': ">="}

// comparison reads what an operand is compared with, if it is.
func (p *parser) comparison(left *condition) (*condition, error) {
	t := p.peek()
	c := &condition{op: comparators[t.kind]}
	if t.isWord("BETWEEN") || t.isWord("IN") {
		c.op = strings.ToUpper(t.text)
	}
	if c.op == "" {
		return left, nil
	}
	p.next()
	right, err := p.compared(c.op)
	if err != nil {
		return nil, err
	}
	c.args = append(left.args, right...)
	return c, p.checkComparison(c)
}

// compared reads the operands that follow a comparator.
func (p *parser) compared(op string) ([]operand, error) {
	if op == "IN" {
		return p.arguments()
	}
	first, err := p.operand()
	if err != nil || op != "BETWEEN" {
		return []operand{first}, err
	}
	if !p.peek().isWord("AND") {
		return nil, p.syntaxError()
	}
	p.next()
	second, err := p.operand()
	return []operand{first, second}, err
}
