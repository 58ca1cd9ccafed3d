// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html

package dynamodb

import (
	"slices"
	"strconv"
	"strings"
)

// maxIn is how many values IN may choose from.
const maxIn = 100

// Types of values that operators and functions may take.
const (
	scalarKinds = " S N B "
	prefixKinds = " S B "
	sizedKinds  = " S B SS NS BS L M "
	listKinds   = " L "
	numberKinds = " N "
)

func hasKind(kinds string, k kind) bool { return strings.Contains(kinds, " "+string(k)+" ") }

func (p *parser) wrongCount(op string, n int) error {
	return p.invalid("Incorrect number of operands for operator or function; operator or function: " + op + ", number of operands: " + strconv.Itoa(n))
}

func (p *parser) wrongType(op string, k kind) error {
	return p.invalid("Incorrect operand type for operator or function; operator or function: " + op + ", operand type: " + string(k))
}

// misplaced is the error for a function that has no value, where one is needed,
// or the reverse.
func (p *parser) misplaced(name string) error {
	return p.invalid("The function is not allowed to be used this way in an expression; function: " + name)
}

// checkComparison says what is wrong with a comparison without an item.
func (p *parser) checkComparison(c *condition) error {
	if fn := c.args[0].fn; fn != "" && !functions[fn].inner {
		return p.misplaced(fn)
	}
	if err := p.operator(); err != nil {
		return err
	}
	if err := p.checkDistinct(c.op, c.args); err != nil {
		return err
	}
	switch c.op {
	case "<", "<=", ">", ">=":
		return p.checkKinds(c.op, c.args, scalarKinds)
	case "BETWEEN":
		return p.checkBetween(c.args)
	case "IN":
		if n := len(c.args) - 1; n > maxIn {
			return p.invalid("The IN operator is provided with too many operands; number of operands: " + strconv.Itoa(n))
		}
	}
	return nil
}

// checkFunction says what is wrong with the operands of a function without an
// item.
func (p *parser) checkFunction(o operand) error {
	switch o.fn {
	case "attribute_exists", "attribute_not_exists", "if_not_exists":
		if o.args[0].path == nil {
			return p.invalid("Operator or function requires a document path; operator or function: " + o.fn)
		}
	case "size":
		return p.checkKinds(o.fn, o.args, sizedKinds)
	case "list_append":
		return p.checkKinds(o.fn, o.args, listKinds)
	}
	if err := p.checkDistinct(o.fn, o.args); err != nil {
		return err
	}
	switch o.fn {
	case "begins_with":
		return p.checkKinds(o.fn, o.args, prefixKinds)
	case "attribute_type":
		return p.checkAttributeType(o.args[1].value)
	}
	return nil
}

func (p *parser) checkAttributeType(v *value) error {
	switch {
	case v == nil:
		return p.wrongType("attribute_type", kindString)
	case v.kind != kindString:
		return p.wrongType("attribute_type", v.kind)
	case !slices.Contains(allKinds, kind(v.text)):
		return p.invalid("Invalid attribute type name found; type: " + v.text + ", valid types: {" + joinKinds() + "}")
	}
	return nil
}

// checkDistinct refuses to compare a path with itself.
func (p *parser) checkDistinct(op string, args []operand) error {
	first := args[0].path
	if first == nil || !slices.ContainsFunc(args[1:], func(o operand) bool { return slices.Equal(o.path, first) }) {
		return nil
	}
	return p.invalid("The first operand must be distinct from the remaining operands for this operator or function; operator: " +
		op + ", first operand: " + first.String())
}

// checkKinds refuses operands of which it is known that they are of no type in
// kinds.
func (p *parser) checkKinds(op string, args []operand, kinds string) error {
	for _, a := range args {
		if k := a.kind(); k != "" && !hasKind(kinds, k) {
			return p.wrongType(op, k)
		}
	}
	return nil
}

var allKinds = []kind{kindBinary, kindNull, kindStringSet, kindBool, kindMap, kindList, kindNumber, kindNumberSet, kindBinarySet, kindString}

func joinKinds() string {
	names := make([]string, len(allKinds))
	for i, k := range allKinds {
		names[i] = string(k)
	}
	return strings.Join(names, ",")
}

func (p *parser) checkBetween(args []operand) error {
	if err := p.checkKinds("BETWEEN", args, scalarKinds); err != nil {
		return err
	}
	low, high := args[1].value, args[2].value
	if low == nil || high == nil {
		return nil
	}
	c, ok := low.compare(*high)
	if !ok {
		return p.invalid("The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: AttributeValue: " +
			low.String() + ", upper bound operand: AttributeValue: " + high.String())
	}
	if c > 0 {
		return p.invalid("The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: " +
			low.String() + ", upper bound operand: AttributeValue: " + high.String())
	}
	return nil
}

// unused is the error for placeholders that no expression uses.
func (b *bindings) unused() error {
	if left := unusedOf(b.values, b.usedValues); left != "" {
		return validation("Value provided in ExpressionAttributeValues unused in expressions: keys: {" + left + "}")
	}
	if left := unusedOf(b.names, b.usedNames); left != "" {
		return validation("Value provided in ExpressionAttributeNames unused in expressions: keys: {" + left + "}")
	}
	return nil
}

func unusedOf[V any](all map[string]V, used map[string]bool) string {
	var left []string
	for k := range all {
		if !used[k] {
			left = append(left, k)
		}
	}
	slices.Sort(left)
	return strings.Join(left, ", ")
}
