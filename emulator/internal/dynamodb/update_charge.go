// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html#limits-items

package dynamodb

import "strconv"

// UpdateItem refuses an expression of which what it writes, and so many bytes for
// each part of it, are more than an item may have, whatever the item is. No
// document says so: an independent suite has measured it on AWS to the byte. It
// holds in most regions, neither for AttributeUpdates nor in transactions.
const (
	updateCharge  = 3
	writeCharge   = 19 // of SET and ADD
	removeCharge  = 1  // of REMOVE and DELETE
	targetCharge  = 4  // of each element of a path that is changed, but the first
	operandCharge = 14 // of each element of a path that is read
)

var functionCharges = map[string]int{"+": 34, "-": 37, "list_append": 37, "if_not_exists": 39}

// charge is what an update expression counts, in bytes; 0 for any other update.
func (u *update) charge() int {
	n := 0
	for _, a := range u.actions {
		if a.legacy {
			return 0
		}
		n += len(a.path[0].name)
		for _, e := range a.path[1:] {
			n += targetCharge + e.size()
		}
		if a.section == "REMOVE" || a.section == "DELETE" {
			n += removeCharge
			continue
		}
		n += writeCharge + a.operand.charge()
	}
	return n + updateCharge
}

func (o operand) charge() int {
	if o.value != nil {
		return o.value.size()
	}
	n := functionCharges[o.fn]
	for _, arg := range o.args {
		n += arg.charge()
	}
	if o.path != nil {
		n++
		for _, e := range o.path {
			n += operandCharge + e.size()
		}
	}
	return n
}

func (e element) size() int {
	if e.index >= 0 {
		return len(strconv.Itoa(e.index))
	}
	return len(e.name)
}
