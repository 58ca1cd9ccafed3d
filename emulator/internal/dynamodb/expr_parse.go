// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html

package dynamodb

import (
	"strconv"
	"strings"
)

// maxExpression is how long an expression may be, in bytes, and with it how deep
// it nests; what parameters from before expressions mean does not nest.
const maxExpression = 4096

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

// closed ends parentheses. Whatever is in them knows in paren whether it stood in
// others, which are too many.
func (p *parser) closed(paren *bool) error {
	if err := p.expect(')'); err != nil {
		return err
	}
	if *paren {
		return p.invalid("The expression has redundant parentheses;")
	}
	*paren = true
	return nil
}
