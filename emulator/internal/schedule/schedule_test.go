package schedule

import (
	"strings"
	"testing"
	"time"
)

const layout = "2006-01-02 15:04:05 Mon"

func TestNext(t *testing.T) {
	t.Parallel()
	// 24 May 2026 is a Sunday.
	const now = "2026-05-24 14:56:30 Sun"
	for _, tt := range []struct {
		expression, zone string
		after            string
		want             []string // one after the other; "" is never
	}{
		{"rate(1 minute)", "", now, []string{"2026-05-24 14:57:30 Sun", "2026-05-24 14:58:30 Sun"}},
		{"rate(5 minutes)", "", now, []string{"2026-05-24 15:01:30 Sun"}},
		{"rate(1 hour)", "", now, []string{"2026-05-24 15:56:30 Sun"}},
		{"rate(7 days)", "", now, []string{"2026-05-31 14:56:30 Sun"}},
		{"at(2026-05-24T15:00:00)", "", now, []string{"2026-05-24 15:00:00 Sun", ""}},
		{"at(2026-05-24T14:56:30)", "", now, []string{""}},
		{"at(2026-05-24T17:00:00)", "Europe/Berlin", now, []string{"2026-05-24 15:00:00 Sun"}},

		// The examples of the EventBridge user guide.
		{"cron(0 10 * * ? *)", "", now, []string{"2026-05-25 10:00:00 Mon", "2026-05-26 10:00:00 Tue"}},
		{"cron(15 12 * * ? *)", "", now, []string{"2026-05-25 12:15:00 Mon"}},
		{"cron(0 18 ? * MON-FRI *)", "", now, []string{"2026-05-25 18:00:00 Mon"}},
		{"cron(0 18 ? * MON-FRI *)", "", "2026-05-29 18:00:00 Fri", []string{"2026-06-01 18:00:00 Mon"}},
		{"cron(0 8 1 * ? *)", "", now, []string{"2026-06-01 08:00:00 Mon", "2026-07-01 08:00:00 Wed"}},
		{"cron(0/15 * * * ? *)", "", now, []string{"2026-05-24 15:00:00 Sun", "2026-05-24 15:15:00 Sun"}},
		{"cron(0/10 * ? * MON-FRI *)", "", now, []string{"2026-05-25 00:00:00 Mon", "2026-05-25 00:10:00 Mon"}},
		{"cron(0/5 8-17 ? * MON-FRI *)", "", "2026-05-29 17:54:00 Fri",
			[]string{"2026-05-29 17:55:00 Fri", "2026-06-01 08:00:00 Mon"}},
		{"cron(15 10 ? * 6L 2026-2028)", "", now, []string{"2026-05-29 10:15:00 Fri", "2026-06-26 10:15:00 Fri"}},

		{"cron(0 0 L * ? *)", "", now, []string{"2026-05-31 00:00:00 Sun", "2026-06-30 00:00:00 Tue"}},
		{"cron(0 0 L 2 ? *)", "", now, []string{"2027-02-28 00:00:00 Sun", "2028-02-29 00:00:00 Tue"}},
		{"cron(0 0 LW * ? *)", "", now, []string{"2026-05-29 00:00:00 Fri", "2026-06-30 00:00:00 Tue"}},
		{"cron(0 0 15W 8 ? *)", "", now, []string{"2026-08-14 00:00:00 Fri"}}, // the 15th is a Saturday
		{"cron(0 0 16W 8 ? *)", "", now, []string{"2026-08-17 00:00:00 Mon"}}, // the 16th is a Sunday
		{"cron(0 0 1W 8 ? *)", "", now, []string{"2026-08-03 00:00:00 Mon"}},  // not in July
		{"cron(0 0 31W 5 ? *)", "", now, []string{"2026-05-29 00:00:00 Fri"}}, // not in June
		{"cron(0 0 31W 6,7 ? *)", "", now, []string{"2026-07-31 00:00:00 Fri"}},
		{"cron(0 0 ? * L *)", "", now, []string{"2026-05-30 00:00:00 Sat"}},
		{"cron(0 0 ? * 3#2 *)", "", now, []string{"2026-06-09 00:00:00 Tue"}},
		{"cron(0 0 ? * tue#5 *)", "", now, []string{"2026-06-30 00:00:00 Tue", "2026-09-29 00:00:00 Tue"}},
		{"cron(0 0 ? * FRIL,1 *)", "", now, []string{"2026-05-29 00:00:00 Fri", "2026-05-31 00:00:00 Sun"}},
		{"cron(1,30-32,50/5 3 * MAY,JUN ? *)", "", "2026-05-25 03:01:00 Mon", []string{"2026-05-25 03:30:00 Mon",
			"2026-05-25 03:31:00 Mon", "2026-05-25 03:32:00 Mon", "2026-05-25 03:50:00 Mon", "2026-05-25 03:55:00 Mon",
			"2026-05-26 03:01:00 Tue"}},
		{"cron(0 0 1-31/10 * ? *)", "", now, []string{"2026-05-31 00:00:00 Sun", "2026-06-01 00:00:00 Mon"}},
		{"cron(0 0 29 2 ? *)", "", now, []string{"2028-02-29 00:00:00 Tue", "2032-02-29 00:00:00 Sun"}},
		{"cron(0 0 30 2 ? *)", "", now, []string{""}},
		{"cron(0 0 1 1 ? 2026)", "", now, []string{""}},
		{"cron(0 0 1 1 ? 2199)", "", now, []string{"2199-01-01 00:00:00 Tue", ""}},
		{"cron(0/59 */24 * * ? *)", "", now, []string{"2026-05-25 00:00:00 Mon", "2026-05-25 00:59:00 Mon", "2026-05-26 00:00:00 Tue"}},
		{"cron(* * * * ? *)", "", now, []string{"2026-05-24 14:57:00 Sun", "2026-05-24 14:58:00 Sun"}},

		// In Berlin 29 March 2026 has no 02:30, and 25 October has two.
		{"cron(30 2 * * ? *)", "Europe/Berlin", "2026-03-28 12:00:00 Sat", []string{"2026-03-30 00:30:00 Mon"}},
		{"cron(30 2 * * ? *)", "Europe/Berlin", "2026-10-24 12:00:00 Sat",
			[]string{"2026-10-25 00:30:00 Sun", "2026-10-26 01:30:00 Mon"}},
		{"cron(0 0 * * ? *)", "Pacific/Kiritimati", now, []string{"2026-05-25 10:00:00 Mon"}},
		{"cron(0 23 L * ? *)", "Pacific/Pago_Pago", "2026-06-01 01:00:00 Mon", []string{"2026-06-01 10:00:00 Mon"}},
	} {
		t.Run(tt.expression+tt.zone, func(t *testing.T) {
			t.Parallel()
			e, err := Parse(tt.expression, tt.zone)
			if err != nil {
				t.Fatal(err)
			}
			at, err := time.Parse(layout, tt.after)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range tt.want {
				next, ok := e.Next(at)
				got := ""
				if ok {
					got = next.UTC().Format(layout)
				}
				if got != want {
					t.Fatalf("after %s got %q, want %q", at.Format(layout), got, want)
				}
				at = next
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ expression, zone, want string }{
		{"", "", `"": write rate(…), cron(…) or at(…), in lower case and without spaces around it`},
		{"every(1 minute)", "", `"every(1 minute)": write rate(…), cron(…) or at(…), in lower case and without spaces around it`},
		{"Rate(1 minute)", "", `"Rate(1 minute)": write rate(…), cron(…) or at(…), in lower case and without spaces around it`},
		{" rate(1 minute)", "", `" rate(1 minute)": write rate(…), cron(…) or at(…), in lower case and without spaces around it`},
		{"rate(0 minutes)", "", `"rate(0 minutes)": the number must be at least 1`},
		{"rate(-1 minutes)", "", `"rate(-1 minutes)": a rate is a whole number, a space, and minutes, hours or days`},
		{"rate(30 seconds)", "", `"rate(30 seconds)": a rate is a whole number, a space, and minutes, hours or days`},
		{"rate(1 year)", "", `"rate(1 year)": a rate is a whole number, a space, and minutes, hours or days`},
		{"rate( 1 minute)", "", `"rate( 1 minute)": a rate is a whole number, a space, and minutes, hours or days`},
		{"rate(1 minutes)", "", `"rate(1 minutes)": write 1 minute, without s`},
		{"rate(10 minute)", "", `"rate(10 minute)": write 10 minutes, with s`},
		{"rate(999999999 days)", "", `"rate(999999999 days)": a period is at most 100 years`},
		{"cron(0 10 * * *)", "", `"cron(0 10 * * *)": a cron has 6 fields (minutes, hours, day of month, month, day of week, year), not 5`},
		{"cron(0 10 * * * *)", "", `"cron(0 10 * * * *)": exactly one of day of month and day of week must be ?`},
		{"cron(0 10 ? * ? *)", "", `"cron(0 10 ? * ? *)": exactly one of day of month and day of week must be ?`},
		{"cron(60 10 * * ? *)", "", `"cron(60 10 * * ? *)": minutes: "60" is not from 0 to 59`},
		{"cron(0 24 * * ? *)", "", `"cron(0 24 * * ? *)": hours: "24" is not from 0 to 23`},
		{"cron(? 10 * * ? *)", "", `"cron(? 10 * * ? *)": minutes: "?" is not from 0 to 59`},
		{"cron(0 10 0 * ? *)", "", `"cron(0 10 0 * ? *)": day of month: "0" is not from 1 to 31`},
		{"cron(0 10 W * ? *)", "", `"cron(0 10 W * ? *)": day of month: "" is not from 1 to 31`},
		{"cron(0 10 * JANUARY ? *)", "", `"cron(0 10 * JANUARY ? *)": month: "JANUARY" is not from 1 to 12`},
		{"cron(0 10 ? * 8 *)", "", `"cron(0 10 ? * 8 *)": day of week: "8" is not from 1 to 7`},
		{"cron(0 10 ? * 3#6 *)", "", `"cron(0 10 ? * 3#6 *)": day of week: "3#6": after # stands a number from 1 to 5`},
		{"cron(0 10 ? * FRI-MON *)", "", `"cron(0 10 ? * FRI-MON *)": day of week: "FRI-MON" ends before it begins; write two ranges`},
		{"cron(0/0 10 * * ? *)", "", `"cron(0/0 10 * * ? *)": minutes: "0/0": after / stands a number from 1`},
		{"cron(*/60 * * * ? *)", "", `"cron(*/60 * * * ? *)": minutes: "*/60": after / stands a number from 1 to 59`},
		{"cron(0-30/60 * * * ? *)", "", `"cron(0-30/60 * * * ? *)": minutes: "0-30/60": after / stands a number from 1 to 59`},
		{"cron(1,,2 10 * * ? *)", "", `"cron(1,,2 10 * * ? *)": minutes: "" is not from 0 to 59`},
		{"cron(0 10 * * ? 1969)", "", `"cron(0 10 * * ? 1969)": year: "1969" is not from 1970 to 2199`},
		{"at(2026-02-30T00:00:00)", "", `"at(2026-02-30T00:00:00)": a time is such as 2026-05-24T14:56:00, without a zone`},
		{"at(2026-05-24T14:56:00Z)", "", `"at(2026-05-24T14:56:00Z)": a time is such as 2026-05-24T14:56:00, without a zone`},
	} {
		if _, err := Parse(tt.expression, tt.zone); err == nil {
			t.Errorf("%q: got no error", tt.expression)
		} else if got, want := err.Error(), "Parameter ScheduleExpression is not valid. "+tt.want; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	const want = `Parameter ScheduleExpressionTimezone is not valid. "Mars" is no time zone; give one such as Europe/Berlin`
	if _, err := Parse("rate(1 minute)", "Mars"); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if _, err := Parse("rate(1 minute)", "Local"); err == nil {
		t.Error("the machine's own zone was taken")
	}
}

// FuzzParse holds that whatever parses is due in the future, twice.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"rate(5 minutes)", "at(2026-05-24T14:56:00)", "cron(0/5 8-17 ? * MON-FRI,3#2,6L *)",
		"cron(1,2 * LW,15W,L * ? 2026-2030/2)", "cron(* * * * ? *", "rate(99999999999999999999 days)"} {
		f.Add(s, "Europe/Berlin")
		f.Add(s, "")
	}
	f.Fuzz(func(t *testing.T, expression, zone string) {
		e, err := Parse(expression, zone)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "Parameter ScheduleExpression") {
				t.Fatalf("got %q", err)
			}
			return
		}
		at := time.Date(2026, 10, 24, 23, 59, 59, 1, time.UTC)
		for range 2 {
			next, ok := e.Next(at)
			if !ok {
				return
			}
			if !next.After(at) {
				t.Fatalf("%s: %s is not after %s", expression, next, at)
			}
			at = next
		}
	})
}
