package template

import (
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// What a template may hold at most: CloudFormation's own limit, and what bounds
// the work of reading it, aliases included.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
const (
	maxBytes = 1 << 20
	maxNodes = 100_000
	maxDepth = 100
)

// readNode reads a YAML or JSON document. Without a usable one it returns nil.
func readNode(src []byte, r *report) *node {
	if len(src) > maxBytes {
		r.errorf(1, "", "the template has %d bytes; at most %d are read", len(src), maxBytes)
		return nil
	}
	var doc yaml.Node
	if err := yaml.Load(src, &doc); err != nil {
		line, what := yamlError(src, err)
		r.errorf(line, "", "%s", what)
		return nil
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 {
		r.errorf(1, "", "the template is empty")
		return nil
	}
	c := converter{report: r}
	n := c.node(doc.Content[0], 0)
	if c.failed {
		return nil
	}
	return n
}

// yamlError finds the line and the message in an error of the YAML library for
// src.
func yamlError(src []byte, err error) (int, string) {
	var e *yaml.LoadError
	switch {
	case strings.Contains(err.Error(), "no documents"):
		return 1, "the template is empty"
	case strings.Contains(err.Error(), "expected single document"):
		return 1, "the file has several YAML documents; a template is one"
	case errors.As(err, &e) && e.Mark.Index < len(src) && src[e.Mark.Index] == '\t':
		return e.Mark.Line, "not YAML: a tab indents the line; use spaces"
	case errors.As(err, &e):
		return e.Mark.Line, "not YAML: " + e.Message
	}
	return 1, "not YAML"
}

// converter turns the library's nodes into ours. After a limit is passed it
// stops: failed.
type converter struct {
	*report
	nodes  int
	failed bool
}

func (c *converter) fail(line int, format string, args ...any) *node {
	if !c.failed {
		c.errorf(line, "", format, args...)
	}
	c.failed = true
	return brokenNode(line)
}

func (c *converter) node(y *yaml.Node, depth int) *node {
	c.nodes++
	switch {
	case c.failed:
		return brokenNode(y.Line)
	case depth > maxDepth:
		return c.fail(y.Line, "nested more than %d levels deep", maxDepth)
	case c.nodes > maxNodes:
		return c.fail(y.Line, "more than %d values, those that aliases repeat included", maxNodes)
	}
	if y.Kind == yaml.AliasNode {
		return c.node(y.Alias, depth+1)
	}
	name, isIntrinsic := shortForm(y.Tag)
	if !isIntrinsic {
		return c.plain(y, depth)
	}
	arg := *y
	arg.Tag = "" // what is tagged !Sub is a string, whatever it looks like
	value := c.plain(&arg, depth)
	if s, ok := value.scalar(); ok && name == "Fn::GetAtt" {
		value = getAttList(value.line, s)
	}
	return &node{kind: object, line: y.Line, fields: []field{{name: name, line: y.Line, value: value}}}
}

// getAttList splits the string form of Fn::GetAtt: the logical id ends at the
// first dot.
func getAttList(line int, s string) *node {
	id, attribute, _ := strings.Cut(s, ".")
	return textList(line, []string{id, attribute})
}

// shortForm returns what a tag such as !Sub stands for.
func shortForm(tag string) (string, bool) {
	name, ok := strings.CutPrefix(tag, "!")
	switch {
	case !ok || name == "" || name[0] == '!':
		return "", false
	case name == "Ref" || name == "Condition":
		return name, true
	}
	return "Fn::" + name, true
}

func (c *converter) plain(y *yaml.Node, depth int) *node {
	switch y.Kind {
	case yaml.SequenceNode:
		n := listNode(y.Line)
		for _, item := range y.Content {
			n.items = append(n.items, c.node(item, depth+1))
		}
		return n
	case yaml.MappingNode:
		return c.mapping(y, depth)
	default:
		return c.scalar(y)
	}
}

// mapping converts an object. What << merges stands behind the object's own
// fields, which it does not override.
func (c *converter) mapping(y *yaml.Node, depth int) *node {
	n := &node{kind: object, line: y.Line}
	first := make(map[string]int, len(y.Content)/2)
	var merges []*yaml.Node
	for i := 0; i+1 < len(y.Content); i += 2 {
		k, v := y.Content[i], y.Content[i+1]
		if k.Kind == yaml.AliasNode {
			k = k.Alias
		}
		if k.Kind != yaml.ScalarNode {
			c.errorf(y.Content[i].Line, "", "a key must be a string")
			continue
		}
		if k.Tag == "!!merge" {
			merges = append(merges, v)
			continue
		}
		if line, twice := first[k.Value]; twice {
			c.errorf(k.Line, "", "%s is given twice, first in line %d", quoted(k.Value), line)
			continue
		}
		first[k.Value] = k.Line
		n.fields = append(n.fields, field{name: k.Value, line: k.Line, value: c.node(v, depth+1)})
	}
	for _, m := range merges {
		c.merge(n, first, c.node(m, depth+1))
	}
	return n
}

func (c *converter) merge(n *node, have map[string]int, from *node) {
	switch from.kind {
	case object:
		for _, f := range from.fields {
			if _, ok := have[f.name]; !ok {
				have[f.name] = f.line
				n.fields = append(n.fields, f)
			}
		}
	case list:
		for _, item := range from.items {
			if item.kind != object {
				c.errorf(from.line, "", "<< merges maps only")
				return
			}
			c.merge(n, have, item)
		}
	case broken:
	default:
		c.errorf(from.line, "", "<< merges maps only")
	}
}

// Plain scalars as YAML 1.1 reads them, which CloudFormation and the SAM CLI
// use: yes is true, 010 is 8. Without the sexagesimal numbers: 12:30 is a time.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-formats.html
var (
	yamlNull  = regexp.MustCompile(`^(|~|null|Null|NULL)$`)
	yamlTrue  = regexp.MustCompile(`^(yes|Yes|YES|true|True|TRUE|on|On|ON)$`)
	yamlFalse = regexp.MustCompile(`^(no|No|NO|false|False|FALSE|off|Off|OFF)$`)
	yamlInt   = regexp.MustCompile(`^[-+]?(0|[1-9][0-9_]*|0[0-7_]+|0x[0-9a-fA-F_]+|0b[01_]+)$`)
	yamlFloat = regexp.MustCompile(`^[-+]?([0-9][0-9_]*\.[0-9_]*([eE][-+][0-9]+)?|\.[0-9][0-9_]*([eE][-+][0-9]+)?)$`)
)

func (c *converter) scalar(y *yaml.Node) *node {
	n := textNode(y.Line, y.Value)
	quoted := y.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0
	if quoted || y.Tag == "" || y.Style&yaml.TaggedStyle != 0 && y.Tag == "!!str" {
		return n
	}
	digits := strings.ReplaceAll(y.Value, "_", "")
	switch {
	case yamlNull.MatchString(y.Value):
		n.kind, n.text = null, ""
	case yamlTrue.MatchString(y.Value):
		n.kind, n.text = boolean, "true"
	case yamlFalse.MatchString(y.Value):
		n.kind, n.text = boolean, "false"
	case len(digits) > 400: // no number that anything takes
	case yamlInt.MatchString(y.Value):
		if i, ok := new(big.Int).SetString(digits, 0); ok {
			n.kind, n.text = number, i.String()
		}
	case yamlFloat.MatchString(y.Value):
		if f, err := strconv.ParseFloat(digits, 64); err == nil {
			n.kind, n.text = number, strconv.FormatFloat(f, 'f', -1, 64)
			if !strings.Contains(n.text, ".") {
				n.text += ".0" // 1.0 stays a fraction when it becomes a string
			}
		}
	}
	return n
}

// quoted gives a string for a message, shortened.
func quoted(s string) string {
	const most = 60
	if len(s) > most {
		s = s[:most] + "…"
	}
	return fmt.Sprintf("%q", s)
}
