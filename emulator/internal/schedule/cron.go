package schedule

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// cron is a cron expression of six fields.
// https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#cron-based
type cron struct {
	zone                 *time.Location
	minutes, hours       set
	months               set
	years                set // from firstYear
	days, weekdays       set // days of the month; of the week from 1, Sunday
	anyDay, anyWeekday   bool
	lastDay, lastWorkday bool  // L, LW
	nearWorkday          []int // 15W
	lastOf               set   // 6L: the month's last of these weekdays
	nth                  []nth // 6#3
}

// nth is such as the third Friday of a month.
type nth struct{ weekday, n int }

// set holds small numbers.
type set [4]uint64

func (s *set) add(n int)     { s[n>>6] |= 1 << (n & 63) }
func (s set) has(n int) bool { return s[n>>6]>>(n&63)&1 == 1 }

const (
	firstYear = 1970
	lastYear  = 2199
)

// cronField is what one of the six fields takes.
type cronField struct {
	name        string
	first, last int
	step        int    // the largest that AWS takes, where that is known
	names       string // the words for the numbers from first on
}

var cronFields = [6]cronField{
	{"minutes", 0, 59, 59, ""}, // AWS refuses */60: github.com/aws/aws-sdk-js/issues/4212
	{"hours", 0, 23, 0, ""},
	{"day of month", 1, 31, 0, ""},
	{"month", 1, 12, 0, "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC"},
	{"day of week", 1, 7, 0, "SUN MON TUE WED THU FRI SAT"},
	{"year", firstYear, lastYear, 0, ""},
}

func parseCron(s string, zone *time.Location) (*cron, error) {
	f := strings.Fields(s)
	if len(f) != len(cronFields) {
		return nil, fmt.Errorf("a cron has 6 fields (minutes, hours, day of month, month, day of week, year), not %d", len(f))
	}
	if (f[2] == "?") == (f[4] == "?") {
		return nil, fmt.Errorf("exactly one of day of month and day of week must be ?")
	}
	c := &cron{zone: zone, anyDay: f[2] == "?", anyWeekday: f[4] == "?"}
	sets := [6]*set{&c.minutes, &c.hours, &c.days, &c.months, &c.weekdays, &c.years}
	for i, field := range cronFields {
		if f[i] == "?" && (i == 2 || i == 4) {
			continue
		}
		for item := range strings.SplitSeq(f[i], ",") {
			special, err := false, error(nil)
			switch i {
			case 2:
				special, err = c.specialDay(item)
			case 4:
				special, err = c.specialWeekday(item)
			}
			if err == nil && !special {
				err = field.parse(item, sets[i])
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %w", field.name, err)
			}
		}
	}
	return c, nil
}

// specialDay reads L, LW and 15W.
func (c *cron) specialDay(item string) (bool, error) {
	day, isWorkday := strings.CutSuffix(item, "W")
	switch {
	case item == "L":
		c.lastDay = true
	case item == "LW":
		c.lastWorkday = true
	case isWorkday:
		n, err := cronFields[2].number(day)
		if err != nil {
			return false, err
		}
		c.nearWorkday = append(c.nearWorkday, n)
	default:
		return false, nil
	}
	return true, nil
}

// specialWeekday reads L, 6L and 6#3.
func (c *cron) specialWeekday(item string) (bool, error) {
	if item == "L" {
		c.weekdays.add(7)
		return true, nil
	}
	if day, count, ok := strings.Cut(item, "#"); ok {
		weekday, err := cronFields[4].number(day)
		n, err2 := strconv.Atoi(count)
		if err != nil {
			return false, err
		}
		if err2 != nil || n < 1 || n > 5 || len(count) > 1 {
			return false, fmt.Errorf("%s: after # stands a number from 1 to 5", shorten(item))
		}
		c.nth = append(c.nth, nth{weekday, n})
		return true, nil
	}
	if day, ok := strings.CutSuffix(item, "L"); ok {
		weekday, err := cronFields[4].number(day)
		if err != nil {
			return false, err
		}
		c.lastOf.add(weekday)
		return true, nil
	}
	return false, nil
}

// parse reads one of a field's items: *, n, n-m, and each of them with /step.
func (f cronField) parse(item string, into *set) error {
	span, stepText, stepped := strings.Cut(item, "/")
	step := 1
	if stepped {
		var err error
		if step, err = strconv.Atoi(stepText); err != nil || step < 1 || len(stepText) > 4 || stepText[0] == '+' {
			return fmt.Errorf("%s: after / stands a number from 1", shorten(item))
		}
		if f.step > 0 && step > f.step {
			return fmt.Errorf("%s: after / stands a number from 1 to %d", shorten(item), f.step)
		}
	}
	first, last := f.first, f.last
	if span != "*" {
		from, to, isRange := strings.Cut(span, "-")
		var err error
		if first, err = f.number(from); err != nil {
			return err
		}
		switch {
		case isRange:
			if last, err = f.number(to); err != nil {
				return err
			}
			if last < first {
				return fmt.Errorf("%s ends before it begins; write two ranges", shorten(span))
			}
		case !stepped:
			last = first
		}
	}
	for n := first; n <= last; n += step {
		into.add(n - f.offset())
	}
	return nil
}

// offset is what a set counts from: years are too large to count from 0.
func (f cronField) offset() int {
	if f.first == firstYear {
		return firstYear
	}
	return 0
}

// number reads a number or a name within the field's range.
func (f cronField) number(s string) (int, error) {
	for i, name := range strings.Fields(f.names) {
		if strings.EqualFold(s, name) {
			return f.first + i, nil
		}
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < f.first || n > f.last || s[0] == '+' || len(s) > 4 {
		return 0, fmt.Errorf("%s is not from %d to %d", shorten(s), f.first, f.last)
	}
	return n, nil
}
