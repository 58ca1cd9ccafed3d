// Package schedule reads the schedule expressions of EventBridge, tells when
// they are due, and fires a template's schedules at those times.
//
// https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
package schedule

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // zones are known on machines that have no database of them
)

// Expression is a parsed rate(…), cron(…) or at(…).
type Expression struct {
	period time.Duration // of a rate; else 0
	cron   *cron         // or nil
	at     time.Time     // if neither
}

var (
	wholePattern = regexp.MustCompile(`^(rate|cron|at)\(([^()]*)\)$`)
	ratePattern  = regexp.MustCompile(`^([0-9]{1,9}) (minute|hour|day)(s?)$`)
)

// How AWS' errors begin; they say no more.
const (
	notValid     = "Parameter ScheduleExpression is not valid."
	notValidZone = "Parameter ScheduleExpressionTimezone is not valid."
)

// maxRate keeps the period of a rate from overflowing: 100 years.
const maxRate = 36_500 * 24 * time.Hour

// Parse reads an expression. The time zone, of the IANA database, is that of
// cron and at; "" is UTC. The error's text begins as that of AWS and goes on to
// say what is wrong.
func Parse(expression, timezone string) (*Expression, error) {
	zone, err := location(timezone)
	if err != nil {
		return nil, err
	}
	e, err := parse(expression, zone)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", notValid, shorten(expression), err)
	}
	return e, nil
}

func location(timezone string) (*time.Location, error) {
	if timezone == "" {
		return time.UTC, nil
	}
	zone, err := time.LoadLocation(timezone)
	if err != nil || timezone == "Local" {
		return nil, fmt.Errorf("%s %s is no time zone; give one such as Europe/Berlin", notValidZone, shorten(timezone))
	}
	return zone, nil
}

func parse(expression string, zone *time.Location) (*Expression, error) {
	m := wholePattern.FindStringSubmatch(expression)
	if m == nil {
		return nil, fmt.Errorf("write rate(…), cron(…) or at(…), in lower case and without spaces around it")
	}
	switch m[1] {
	case "rate":
		return parseRate(m[2])
	case "at":
		return parseAt(m[2], zone)
	}
	c, err := parseCron(m[2], zone)
	if err != nil {
		return nil, err
	}
	return &Expression{cron: c}, nil
}

// parseRate reads such as "5 minutes": one takes the singular, more the plural.
func parseRate(s string) (*Expression, error) {
	m := ratePattern.FindStringSubmatch(s)
	if m == nil {
		return nil, fmt.Errorf("a rate is a whole number, a space, and minutes, hours or days")
	}
	n, err := strconv.Atoi(m[1])
	unit := map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}[m[2]]
	switch {
	case err != nil || n < 1:
		return nil, fmt.Errorf("the number must be at least 1")
	case time.Duration(n) > maxRate/unit:
		return nil, fmt.Errorf("a period is at most 100 years")
	case n == 1 && m[3] != "":
		return nil, fmt.Errorf("write 1 %s, without s", m[2])
	case n > 1 && m[3] == "":
		return nil, fmt.Errorf("write %d %ss, with s", n, m[2])
	}
	return &Expression{period: time.Duration(n) * unit}, nil
}

func parseAt(s string, zone *time.Location) (*Expression, error) {
	const layout = "2006-01-02T15:04:05"
	t, err := time.ParseInLocation(layout, s, zone)
	if err != nil || len(s) != len(layout) {
		return nil, fmt.Errorf("a time is such as 2026-05-24T14:56:00, without a zone")
	}
	return &Expression{at: t}, nil
}

// Next returns the first time the expression is due after a time; false if
// there is none. A rate is due one period after it.
func (e *Expression) Next(after time.Time) (time.Time, bool) {
	switch {
	case e.period > 0:
		return after.Add(e.period), true
	case e.cron != nil:
		return e.cron.next(after)
	}
	return e.at, e.at.After(after)
}

// once says whether the expression is an at(…).
func (e *Expression) once() bool { return e.period == 0 && e.cron == nil }

// shorten quotes what was given for a message.
func shorten(s string) string {
	const most = 60
	if len(s) > most {
		s = s[:most] + "…"
	}
	return strconv.Quote(strings.ToValidUTF8(s, "?"))
}
