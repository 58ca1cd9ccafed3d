// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html

package dynamodb

import (
	"slices"
	"strconv"
	"strings"
)

// maxIn is how many values IN may choose from.
const maxIn = 100

func (p *parser) wrongCount(op string, n int) error {
	return p.invalid("Incorrect number of operands for operator or function; operator or function: " + op + ", number of operands: " + strconv.Itoa(n))
}

func (p *parser) wrongType(op string, k kind) error {
	return p.invalid("Incorrect operand type for operator or function; operator or function: " + op + ", operand type: " + string(k))
}

// checked gives the condition, or what can be said against it without an item.
func (p *parser) checked(c *condition) (*condition, error) {
	if err := p.operator(); err != nil {
		return nil, err
	}
	if len(c.args) == 2 && c.args[0].path != nil && slices.Equal(c.args[0].path, c.args[1].path) {
		return nil, p.invalid("The first operand must be distinct from the remaining operands for this operator or function; operator: " +
			c.op + ", first operand: " + c.args[0].path.String())
	}
	switch c.op {
	case "attribute_exists", "attribute_not_exists":
		if len(c.args) != 1 {
			return nil, p.wrongCount(c.op, len(c.args))
		}
		if c.args[0].path == nil {
			return nil, p.invalid("Operator or function requires a document path; operator or function: " + c.op)
		}
	case "attribute_type", "begins_with", "contains":
		if len(c.args) != 2 {
			return nil, p.wrongCount(c.op, len(c.args))
		}
		return c, p.checkFunction(c)
	case "<", "<=", ">", ">=":
		return c, p.checkOrdered(c.op, c.args)
	case "BETWEEN":
		return c, p.checkBetween(c.args)
	case "IN":
		if len(c.args) > maxIn+1 {
			return nil, p.invalid("The IN operator is provided with too many operands; number of operands: " + strconv.Itoa(len(c.args)-1))
		}
	}
	return c, nil
}

func (p *parser) checkFunction(c *condition) error {
	second := c.args[1].value
	switch {
	case c.op == "attribute_type" && (second == nil || second.kind != kindString):
		k := kindString
		if second != nil {
			k = second.kind
		}
		return p.wrongType(c.op, k)
	case c.op == "attribute_type" && !slices.Contains(allKinds, kind(second.text)):
		return p.invalid("Invalid attribute type name found; type: " + second.text + ", valid types: {" + joinKinds() + "}")
	case c.op == "begins_with":
		for _, a := range c.args {
			if a.value != nil && a.value.kind != kindString && a.value.kind != kindBinary {
				return p.wrongType(c.op, a.value.kind)
			}
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

// checkOrdered refuses values that have no order.
func (p *parser) checkOrdered(op string, args []operand) error {
	for _, a := range args {
		if a.value == nil {
			continue
		}
		if _, ok := a.value.compare(*a.value); !ok {
			return p.wrongType(op, a.value.kind)
		}
	}
	return nil
}

func (p *parser) checkBetween(args []operand) error {
	if err := p.checkOrdered("BETWEEN", args); err != nil {
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
