package schedule

import "time"

// next returns the first due time after a time. A time of day that a change to
// daylight saving time leaves out is passed over; one that a change back repeats
// counts once.
// https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#daylist-savings-time
func (c *cron) next(after time.Time) (time.Time, bool) {
	local := after.In(c.zone)
	for year := max(local.Year(), firstYear); year <= lastYear; year++ {
		if !c.years.has(year - firstYear) {
			continue
		}
		for month := time.January; month <= time.December; month++ {
			if !c.months.has(int(month)) || year == local.Year() && month < local.Month() {
				continue
			}
			if t, ok := c.nextInMonth(year, month, after); ok {
				return t, true
			}
		}
	}
	return time.Time{}, false
}

func (c *cron) nextInMonth(year int, month time.Month, after time.Time) (time.Time, bool) {
	for day := 1; day <= daysIn(year, month); day++ {
		if !c.dayMatches(year, month, day) || !time.Date(year, month, day+2, 0, 0, 0, 0, c.zone).After(after) {
			continue
		}
		for hour := range 24 {
			for minute := range 60 {
				if !c.hours.has(hour) || !c.minutes.has(minute) {
					continue
				}
				if t, ok := c.date(year, month, day, hour, minute); ok && t.After(after) {
					return t, true
				}
			}
		}
	}
	return time.Time{}, false
}

// date returns a time of the clock on the wall, the first one if there are two;
// false if there is none.
func (c *cron) date(year int, month time.Month, day, hour, minute int) (time.Time, bool) {
	t := time.Date(year, month, day, hour, minute, 0, 0, c.zone)
	if t.Hour() != hour || t.Minute() != minute {
		return t, false
	}
	_, offset := t.Zone()
	_, before := t.Add(-3 * time.Hour).Zone() // no change comes sooner after another
	if first := t.Add(time.Duration(offset-before) * time.Second); before > offset && first.Hour() == hour && first.Minute() == minute {
		return first, true
	}
	return t, true
}

func daysIn(year int, month time.Month) int {
	return time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// dayMatches says whether the day of month or of week asks for a date.
func (c *cron) dayMatches(year int, month time.Month, day int) bool {
	last := daysIn(year, month)
	weekday := int(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Weekday()) + 1
	if c.anyDay {
		for _, n := range c.nth {
			if n.weekday == weekday && (day-1)/7+1 == n.n {
				return true
			}
		}
		return c.weekdays.has(weekday) || c.lastOf.has(weekday) && day+7 > last
	}
	for _, n := range c.nearWorkday {
		if day == workday(year, month, n) {
			return true
		}
	}
	return c.days.has(day) || c.lastDay && day == last || c.lastWorkday && day == workday(year, month, last)
}

// workday returns the day from Monday to Friday that is nearest to a day of a
// month, in the same month; 0 if the month has no such day.
func workday(year int, month time.Month, day int) int {
	last := daysIn(year, month)
	if day > last {
		return 0
	}
	switch time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Weekday() {
	case time.Saturday:
		if day == 1 {
			return 3
		}
		return day - 1
	case time.Sunday:
		if day == last {
			return day - 2
		}
		return day + 1
	}
	return day
}
